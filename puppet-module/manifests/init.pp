# @summary Installs, configures and runs the daemon `triggerd` on this node.
#
# A node with this class alone can fire triggers, run local jobs and show the fleet. Other nodes can
# trigger it only if the class `trigger::watch::etcd` is declared as well.
#
# @example A node that fires triggers, with the package from a file server
#   class { 'trigger':
#     package_source   => 'https://files.example.com/triggerd_0.1.0_amd64.deb',
#     package_checksum => '3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7',
#     endpoints        => ['https://etcd1.example.com:2379', 'https://etcd2.example.com:2379'],
#     ca_file          => '/etc/ssl/certs/etcd-ca.pem',
#   }
#
# @example A node whose repositories have the package, with two slots for its jobs
#   class { 'trigger':
#     manage_package => true,
#     settings       => { 'queues' => { 'default' => { 'slots' => 2 } } },
#   }
#
# @example A single node, whose daemon runs an etcd that only root can use
#   class { 'trigger':
#     settings => { 'etcd' => { 'embedded' => true, 'embedded_port' => 12379 } },
#   }
#
# @example A broker and a worker on one node; the worker's token is Sensitive
#   class { 'trigger':
#     settings => {
#       'broker'  => { 'listen' => 'tcp://0.0.0.0:5555' },
#       'workers' => { 'team1' => { 'demo01' => { 'token' => Sensitive($token) } } },
#     },
#   }
#
# @param node_name
#   The name of this node in the fleet. Other nodes write it in `hosts`, and firings of this node
#   carry it. Default: the node's certname.
# @param trigger_hostname
#   The earlier name of the parameter `node_name`. Give only one of the two.
# @param endpoints
#   URLs of etcd, tried in this order.
# @param keyprefix
#   The prefix of all keys in etcd. All nodes of a fleet need the same prefix.
# @param ca_file
#   The CA certificate that verifies etcd's certificates. Default: the CA certificates of the system.
# @param cert_file
#   This node's client certificate, if etcd requires one.
# @param key_file
#   The private key of `cert_file`.
# @param username
#   The etcd user, if etcd has authentication enabled.
# @param password_file
#   A file on the node with the password of `username`. The password never enters the catalog.
# @param state_dir
#   The directory for the daemon's queue. Its subdirectory `spool` holds firings that are not yet in etcd.
# @param socket
#   The path of the daemon's control socket.
# @param settings
#   More sections and keys of the daemon's configuration. They override the other parameters. If the
#   hash or a value in it is Sensitive, only root and the group `triggerd` can read the configuration file.
# @param package_source
#   Where the package comes from: a file on the node, a file on the Puppet server
#   (`puppet:///modules/profile/triggerd.deb`), or a URL. A newer package at this place is an upgrade.
# @param package_checksum
#   The SHA-256 checksum of the package. Required for a URL.
# @param manage_package
#   Whether to install the package. Default: `true` if `package_source` is given. No distribution has
#   triggerd yet. With `true` and no `package_source`, the package comes from the node's repositories.
# @param package_name
#   The name of the package.
# @param package_ensure
#   The `ensure` of the package resource, such as a version. With `package_source`, `installed` means
#   the version of that package.
# @param package_source_provider
#   The provider of the package resource if `package_source` is given.
# @param manage_group
#   Whether to create the group `triggerd`. Members of the group can use the control socket. Default:
#   the value of `manage_service`.
# @param config_file
#   The daemon's configuration file.
# @param client_file
#   The file with the settings of the type `trigger` on this node. The type reads only the default path.
# @param manage_config_dir
#   Whether to manage the directories of `config_file` and `client_file`.
# @param manage_service
#   Whether to manage the service.
# @param service_name
#   The name of the service.
# @param service_ensure
#   Whether the service runs.
# @param service_enable
#   Whether the service starts at boot.
# @param service_provider
#   The provider of the service resource, if Puppet chooses the wrong one.
class trigger (
  String[1]                      $package_source_provider,
  Optional[Trigger::Hostname]    $node_name         = undef,
  Optional[Trigger::Hostname]    $trigger_hostname  = undef,
  Array[Variant[Trigger::Endpoint, Trigger::Withpassword], 1] $endpoints = ['http://127.0.0.1:2379'],
  Trigger::Keyprefix             $keyprefix         = '/trigger',
  Optional[Trigger::Path]        $ca_file           = undef,
  Optional[Trigger::Path]        $cert_file         = undef,
  Optional[Trigger::Path]        $key_file          = undef,
  Optional[String[1]]            $username          = undef,
  Optional[Trigger::Path]        $password_file     = undef,
  Trigger::Path                  $state_dir         = '/var/lib/triggerd',
  Trigger::Path                  $socket            = '/run/triggerd/triggerd.sock',
  Variant[Trigger::Settings, Sensitive[Trigger::Settings]] $settings = {},
  Optional[Variant[Trigger::Source, Trigger::Withpassword]] $package_source = undef,
  Optional[Trigger::Sha256]      $package_checksum  = undef,
  Boolean                        $manage_package    = $package_source !~ Undef,
  String[1]                      $package_name      = 'triggerd',
  String[1]                      $package_ensure    = 'installed',
  Trigger::Path                  $config_file       = '/etc/triggerd/triggerd.toml',
  Trigger::Path                  $client_file       = '/etc/triggerd/client.json',
  Boolean                        $manage_config_dir = true,
  Boolean                        $manage_service    = true,
  Boolean                        $manage_group      = $manage_service,
  String[1]                      $service_name      = 'triggerd',
  Enum['running', 'stopped']     $service_ensure    = 'running',
  Variant[Boolean, Enum['mask']] $service_enable    = true,
  Optional[String[1]]            $service_provider  = undef,
) {
  trigger::assert_no_password('trigger: endpoints', Trigger::Endpoint, $endpoints)
  if $package_source !~ Undef {
    trigger::assert_no_password('trigger: package_source', Trigger::Source, [$package_source])
  }

  # Read by trigger::files.
  $own_name = trigger::own_name('trigger', $node_name, $trigger_hostname, $trusted['certname'])

  contain trigger::install
  contain trigger::config
  contain trigger::service

  Class['trigger::install'] -> Class['trigger::config'] -> Class['trigger::service']
}
