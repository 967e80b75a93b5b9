# @summary Runs a small etcd on this node: a single one, or a member of a static cluster.
#
# What is needed is etcd 3.4 or newer. Debian 12 and 13 and Ubuntu 24.04 have it; elsewhere give a package.
#
# A member of a cluster waits for its peers by itself: the service is up, and Puppet goes on, before they are there.
#
# Whoever writes into this etcd can make nodes run Puppet, and become root. So say who may: `tls` has no default. For one node alone
# this class is not needed: the daemon runs an etcd of its own, `[etcd] embedded` in the `settings` of the class `trigger`.
#
# @example One etcd for a fleet; only nodes with a certificate of Puppet's authority can use it
#   class { 'trigger::install::etcd':
#     tls            => 'puppet',
#     listen_address => '0.0.0.0',
#   }
#
# @example A member of a cluster of three, the same on each; the nodes' Puppet certificates protect it
#   class { 'trigger::install::etcd':
#     members => {
#       'etcd1.example.com' => 'https://etcd1.example.com:2380',
#       'etcd2.example.com' => 'https://etcd2.example.com:2380',
#       'etcd3.example.com' => 'https://etcd3.example.com:2380',
#     },
#     tls     => 'puppet',
#   }
#
# @param members
#   The members of the cluster, this one included, each with the URL where its peers reach it. Empty: a single etcd.
# @param member_name
#   The name of this member: its key in `members`.
# @param cluster_token
#   Keeps clusters apart. Members with different tokens refuse each other.
# @param initial_cluster_state
#   `existing` for a member that joins a cluster which already runs (`etcdctl member add` comes first).
# @param listen_address
#   Where clients reach this etcd, besides 127.0.0.1. Default: nowhere else for a single etcd, everywhere for a member of a cluster.
# @param client_port
#   The port for clients.
# @param advertise_host
#   The name or address of this node that clients are told. Default: that of its own URL in `members`, else the certname where
#   other nodes can reach it.
# @param tls
#   Needed. `puppet`: this node's certificate from Puppet's authority, and clients need one of the same authority. Or files on the
#   node as `ca_file`, `cert_file` and `key_file`. They are copied to where etcd can read them. Peers use them as well. `none`:
#   every account of this node, and everybody who reaches it, can read and change everything; each run warns of it.
# @param client_cert_auth
#   With TLS: whether a client needs a certificate of the same authority.
# @param enable_grpc_gateway
#   Whether etcd offers its JSON gateway. The provider `etcd` of the type `trigger` needs it.
# @param data_dir
#   Where etcd keeps its data. Default: Debian's `/var/lib/etcd/default` for a single etcd, a folder named after the token for a member
#   of a cluster, so that what a package started as a single etcd is not in the way.
# @param settings
#   Further settings of etcd: its flags without the dashes in front, with their values. They win over all else.
# @param manage_package
#   Whether to install the package.
# @param package_name
#   The name of the package.
# @param client_package_name
#   The name of the package with `etcdctl`, where it is one of its own.
# @param package_ensure
#   A version, or what else a package resource takes. With `package_source`, `installed` means the version of that package.
# @param package_source
#   The package: a file on the node, one that the Puppet server serves, or a URL. Default: the node's repositories.
# @param package_checksum
#   The SHA-256 checksum of the package; a URL needs it.
# @param package_source_provider
#   The provider of the package resource where `package_source` is given.
# @param config_file
#   The file with etcd's environment that the unit of the package reads.
# @param tls_dir
#   Where the copies of certificate and key go.
# @param user
#   The user and group that the package runs etcd as.
# @param manage_service
#   Whether to manage the service.
# @param service_name
#   The name of the service.
# @param service_ensure
#   Whether the service should be running.
# @param service_enable
#   Whether the service should be started at boot.
class trigger::install::etcd (
  String[1]                   $package_name,
  String[1]                   $package_source_provider,
  Trigger::Path               $config_file,
  Hash[Trigger::Hostname, Variant[Trigger::Etcd::PeerUrl, Trigger::Withpassword]] $members = {},
  Trigger::Hostname           $member_name           = $trusted['certname'],
  Pattern[/\A[\w-]+\z/]        $cluster_token         = 'trigger',
  Enum['new', 'existing']     $initial_cluster_state = 'new',
  Optional[Trigger::Address]  $listen_address        = undef,
  Integer[1, 65535]           $client_port           = 2379,
  Optional[Trigger::Hostname] $advertise_host        = undef,
  Optional[Trigger::Etcd::Tls] $tls                  = undef,
  Boolean                     $client_cert_auth      = true,
  Boolean                     $enable_grpc_gateway   = true,
  Optional[Trigger::Path]     $data_dir              = undef,
  Trigger::Etcd::Settings     $settings              = {},
  Boolean                     $manage_package        = true,
  Optional[String[1]]         $client_package_name   = undef,
  String[1]                   $package_ensure        = 'installed',
  Optional[Variant[Trigger::Source, Trigger::Withpassword]] $package_source = undef,
  Optional[Trigger::Sha256]   $package_checksum      = undef,
  Trigger::Path               $tls_dir               = '/etc/etcd/tls',
  String[1]                   $user                  = 'etcd',
  Boolean                     $manage_service        = true,
  String[1]                   $service_name          = 'etcd',
  Enum['running', 'stopped']  $service_ensure        = 'running',
  Boolean                     $service_enable        = true,
) {
  trigger::assert_no_password('trigger::install::etcd: members', Trigger::Etcd::PeerUrl, $members.values)
  if $package_source !~ Undef {
    trigger::assert_no_password('trigger::install::etcd: package_source', Trigger::Source, [$package_source])
  }

  $clustered = !$members.empty
  if $clustered and !($member_name in $members) {
    fail("trigger::install::etcd: ${member_name} is none of the members ${join($members.keys, ', ')}; name this one with member_name")
  }

  if $tls =~ Undef {
    fail(join([
      'trigger::install::etcd: the parameter tls is needed; it says who can use this etcd, and so become root on its clients.',
      "tls => 'puppet' (or ca_file, cert_file and key_file): only clients with a certificate of the same authority; in the classes",
      'trigger and trigger::watch::etcd give them endpoints that begin with https://, ca_file, cert_file and key_file.',
      "tls => 'none': everybody who reaches it and every account of this node, as before this parameter was needed.",
      "An etcd for this node alone: settings => { 'etcd' => { 'embedded' => true, 'embedded_port' => 12379 } } in the class trigger",
      'instead of this class. See docs/how-to/etcd.md.',
    ], ' '))
  }
  if $tls == 'none' {
    warning("trigger::install::etcd: on ${trusted['certname']} etcd is open to every local account and to whoever reaches it")
  }

  $peer_schemes = unique($members.map |$_, $url| { regsubst($url, ':.*', '') })
  if $clustered and $peer_schemes != [$tls ? { 'none' => 'http', default => 'https' }] {
    fail('trigger::install::etcd: the URLs of members begin with https where tls is given, and with http where it is none')
  }

  contain trigger::install::etcd::package
  contain trigger::install::etcd::config
  contain trigger::install::etcd::service

  # The package starts etcd at once: what the unit reads must be there first.
  File[$config_file] -> Class['trigger::install::etcd::package']
  Class['trigger::install::etcd::package'] -> Class['trigger::install::etcd::service']
  Class['trigger::install::etcd::config'] ~> Class['trigger::install::etcd::service']
}
