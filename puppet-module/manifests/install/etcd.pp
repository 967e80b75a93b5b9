# @summary Runs a small etcd on this node: a single one, or a member of a static cluster.
#
# The class needs etcd 3.4 or later. Debian 12, Debian 13 and Ubuntu 24.04 have it. On other systems,
# give a package.
#
# A member of a cluster waits for its peers in the background: the service starts and Puppet continues
# before the peers run.
#
# Anyone who can write into this etcd can make nodes run Puppet and become root. `tls` therefore has no
# default. A single node does not need this class: its daemon can run an etcd of its own, with
# `[etcd] embedded` in the `settings` of the class `trigger`.
#
# @example One etcd for a fleet; clients need a certificate of Puppet's CA
#   class { 'trigger::install::etcd':
#     tls            => 'puppet',
#     listen_address => '0.0.0.0',
#   }
#
# @example A member of a cluster of three, the same on each; the nodes' Puppet certificates protect the cluster
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
#   The members of the cluster, including this one, each with its peer URL. Empty: a single etcd.
# @param member_name
#   The name of this member: its key in `members`.
# @param cluster_token
#   The token of the cluster. Members with different tokens refuse each other.
# @param initial_cluster_state
#   `existing` for a member that joins a running cluster, after `etcdctl member add`.
# @param listen_address
#   The address for clients, besides 127.0.0.1. Default: none for a single etcd, all addresses for a
#   member of a cluster.
# @param client_port
#   The port for clients.
# @param advertise_host
#   The name or address of this node in the URL that etcd advertises to clients. Default: the host of
#   this node's URL in `members`; for a single etcd that other nodes can reach, the certname.
# @param tls
#   Required. One of:
#   `puppet`: etcd uses this node's Puppet certificate, and clients need a certificate of the same CA.
#   A hash with `ca_file`, `cert_file` and `key_file`: files on the node. The class copies them to
#   where etcd can read them, and peers use them too.
#   `none`: all accounts of this node and everyone who reaches this etcd can read and change all keys.
#   Each run warns.
# @param client_cert_auth
#   With TLS: whether clients need a certificate of the same CA.
# @param enable_grpc_gateway
#   Whether etcd serves its JSON gateway. The provider `etcd` of the type `trigger` needs the gateway.
# @param data_dir
#   The directory of etcd's data. Default: `/var/lib/etcd/default` (Debian's) for a single etcd, and a
#   directory with the name of the token for a member of a cluster. A single etcd that the package
#   started before thus does not disturb the member.
# @param settings
#   More settings of etcd: its flags without the leading dashes, with their values. They override
#   everything else.
# @param manage_package
#   Whether to install the package.
# @param package_name
#   The name of the package.
# @param client_package_name
#   The name of the package with `etcdctl`, if it is a separate package.
# @param package_ensure
#   The `ensure` of the package resource, such as a version. With `package_source`, `installed` means
#   the version of that package.
# @param package_source
#   Where the package comes from: a file on the node, a file on the Puppet server, or a URL. Default:
#   the node's repositories.
# @param package_checksum
#   The SHA-256 checksum of the package. Required for a URL.
# @param package_source_provider
#   The provider of the package resource if `package_source` is given.
# @param config_file
#   The file with etcd's environment variables that the unit of the package reads.
# @param tls_dir
#   The directory for the copies of certificate and key.
# @param user
#   The user and group of etcd's service.
# @param manage_service
#   Whether to manage the service.
# @param service_name
#   The name of the service.
# @param service_ensure
#   Whether the service runs.
# @param service_enable
#   Whether the service starts at boot.
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
    fail("trigger::install::etcd: ${member_name} is not among the members ${join($members.keys, ', ')}. Set member_name")
  }

  if $tls =~ Undef {
    fail(join([
      'trigger::install::etcd: the parameter tls is needed; it says who can use this etcd, and so become root on its clients.',
      "tls => 'puppet' (or ca_file, cert_file and key_file) admits clients with a certificate of the same CA. In the classes trigger",
      'and trigger::watch::etcd, give these clients endpoints that begin with https://, ca_file, cert_file and key_file.',
      "tls => 'none' admits everyone who reaches this etcd and every account of this node, as before this parameter was needed.",
      "For an etcd of this node alone, give settings => { 'etcd' => { 'embedded' => true, 'embedded_port' => 12379 } } to the class",
      'trigger instead of this class. See docs/how-to/etcd.md.',
    ], ' '))
  }
  if $tls == 'none' {
    warning("trigger::install::etcd: on ${trusted['certname']} etcd is open to every local account and to everyone who reaches it")
  }

  $peer_schemes = unique($members.map |$_, $url| { regsubst($url, ':.*', '') })
  if $clustered and $peer_schemes != [$tls ? { 'none' => 'http', default => 'https' }] {
    fail('trigger::install::etcd: the URLs of members must begin with https, or with http if tls is none')
  }

  contain trigger::install::etcd::package
  contain trigger::install::etcd::config
  contain trigger::install::etcd::service

  # The package starts etcd at once, so the file that the unit reads comes first.
  File[$config_file] -> Class['trigger::install::etcd::package']
  Class['trigger::install::etcd::package'] -> Class['trigger::install::etcd::service']
  Class['trigger::install::etcd::config'] ~> Class['trigger::install::etcd::service']
}
