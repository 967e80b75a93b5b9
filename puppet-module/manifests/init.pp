# @summary Installs the daemon `triggerd` on this node, configures and runs it.
#
# Without more, the node can fire triggers, run local jobs and look at the fleet. It is woken by others only where the class
# `trigger::watch::etcd` is declared as well.
#
# @example A node that fires triggers; the package comes from a file server
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
# @example A node alone, with an etcd of the daemon's own, which only root can use
#   class { 'trigger':
#     settings => { 'etcd' => { 'embedded' => true, 'embedded_port' => 12379 } },
#   }
#
# @example A broker with a worker beside it; its token is Sensitive
#   class { 'trigger':
#     settings => {
#       'broker'  => { 'listen' => 'tcp://0.0.0.0:5555' },
#       'workers' => { 'team1' => { 'demo01' => { 'token' => Sensitive($token) } } },
#     },
#   }
#
# @param trigger_hostname
#   The name of this node in the fleet: what others write in `hosts`, and what its own firings say.
# @param endpoints
#   URLs of etcd, tried in order.
# @param keyprefix
#   The prefix of all keys in etcd; the same on all nodes.
# @param ca_file
#   The authority that signed etcd's certificates. Default: the system's authorities.
# @param cert_file
#   This node's certificate, where etcd asks for one.
# @param key_file
#   The key of that certificate.
# @param username
#   The user in etcd, where it has authentication enabled.
# @param password_file
#   A file with that user's password. Its content never comes near a catalogue.
# @param state_dir
#   Where the daemon keeps its queue, and in `spool` below it what it has to publish.
# @param socket
#   The daemon's control socket.
# @param settings
#   Further sections and keys of the daemon's configuration, over those that the parameters say. When it or a value in it is
#   Sensitive, so is the file, and only root and the group `triggerd` can read it.
# @param package_source
#   The package: a file on the node, one that the Puppet server serves (`puppet:///modules/profile/triggerd.deb`), or a URL. A newer
#   package in its place is an upgrade.
# @param package_checksum
#   The SHA-256 checksum of the package; a URL needs it.
# @param manage_package
#   Whether to install the package. Default: where `package_source` is given, as no distribution has triggerd yet; `true` takes it
#   from the node's repositories.
# @param package_name
#   The name of the package.
# @param package_ensure
#   A version, or what else a package resource takes. With `package_source`, `installed` means the version of that package.
# @param package_source_provider
#   The provider of the package resource where `package_source` is given.
# @param manage_group
#   Whether to make the group `triggerd`, whose members may use the control socket. Default: as `manage_service`.
# @param config_file
#   The daemon's configuration file.
# @param client_file
#   The settings of the type `trigger` on this node. The type looks in the default place only.
# @param manage_config_dir
#   Whether to manage the directories that hold the two files.
# @param manage_service
#   Whether to manage the service.
# @param service_name
#   The name of the service.
# @param service_ensure
#   Whether the service should be running.
# @param service_enable
#   Whether the service should be started at boot.
# @param service_provider
#   The provider of the service resource, where Puppet's own choice is wrong.
class trigger ( # lint:ignore:autoloader_layout the folder of the checkout is puppet-module
  String[1]                      $package_source_provider,
  Trigger::Hostname              $trigger_hostname  = $trusted['certname'],
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

  contain trigger::install
  contain trigger::config
  contain trigger::service

  Class['trigger::install'] -> Class['trigger::config'] -> Class['trigger::service']
}
