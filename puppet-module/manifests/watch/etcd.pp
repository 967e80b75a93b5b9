# @summary Lets other nodes trigger this one: the daemon watches this node's inbox in etcd and runs what is fired at it.
#
# This class includes the class `trigger`, which installs, configures and runs the daemon. Most of its
# parameters are described there:
#
# * A parameter that *overrides* `trigger::…` has precedence over the value there.
# * A parameter that is *passed to* `trigger::…` is accepted only if nothing else declares `trigger`.
#   Otherwise, declare `trigger` with that parameter before this class, or use Hiera.
#
# @example A node of a fleet with an etcd cluster
#   class { 'trigger::watch::etcd':
#     endpoints => ['https://etcd1.example.com:2379', 'https://etcd2.example.com:2379'],
#     ca_file   => '/etc/puppetlabs/puppet/ssl/certs/ca.pem',
#   }
#
# @example A node without a Puppet server
#   class { 'trigger::watch::etcd':
#     run_cmd => 'puppet apply /etc/puppet/manifests/site.pp',
#   }
#
# @example With the daemon's package from a file; manage_package => true takes it from the node's repositories
#   class { 'trigger::watch::etcd':
#     node_name      => 'lb01.example.com',
#     package_source => '/srv/packages/triggerd_0.1.0_amd64.deb',
#   }
#
# @param run_cmd
#   The command that a firing without `plugin` runs on this node. It runs in `/`, so its paths must be
#   absolute. Only the manifest of `puppet apply` may be relative: Puppet then completes it with the
#   `codedir` of the machine that compiles the catalog.
# @param allow
#   The plugins that a firing may start on this node. `puppet` stands for `run_cmd`.
# @param node_name
#   Overrides `trigger::node_name`.
# @param trigger_hostname
#   The earlier name of the parameter `node_name`. Give only one of the two.
# @param endpoints
#   Overrides `trigger::endpoints`.
# @param keyprefix
#   Overrides `trigger::keyprefix`.
# @param ca_file
#   Overrides `trigger::ca_file`.
# @param cert_file
#   Overrides `trigger::cert_file`.
# @param key_file
#   Overrides `trigger::key_file`.
# @param username
#   Overrides `trigger::username`.
# @param password_file
#   Overrides `trigger::password_file`.
# @param state_dir
#   Overrides `trigger::state_dir`.
# @param socket
#   Overrides `trigger::socket`.
# @param settings
#   More sections and keys of the daemon's configuration. They override the other parameters and
#   `trigger::settings`, key by key.
# @param package_source
#   Passed to `trigger::package_source`.
# @param package_checksum
#   Passed to `trigger::package_checksum`.
# @param manage_package
#   Passed to `trigger::manage_package`.
# @param package_name
#   Passed to `trigger::package_name`.
# @param package_ensure
#   Passed to `trigger::package_ensure`.
# @param config_file
#   Passed to `trigger::config_file`.
# @param client_file
#   Passed to `trigger::client_file`.
# @param manage_config_dir
#   Passed to `trigger::manage_config_dir`.
# @param manage_service
#   Passed to `trigger::manage_service`.
# @param service_name
#   Passed to `trigger::service_name`.
# @param service_ensure
#   Passed to `trigger::service_ensure`.
# @param service_enable
#   Passed to `trigger::service_enable`.
# @param service_provider
#   Passed to `trigger::service_provider`.
class trigger::watch::etcd (
  String[1]                             $run_cmd           = 'puppet agent --test',
  Array[Trigger::Plugin]                $allow             = ['puppet'],
  Optional[Trigger::Hostname]           $node_name         = undef,
  Optional[Trigger::Hostname]           $trigger_hostname  = undef,
  Optional[Array[Variant[Trigger::Endpoint, Trigger::Withpassword], 1]] $endpoints = undef,
  Optional[Trigger::Keyprefix]          $keyprefix         = undef,
  Optional[Trigger::Path]               $ca_file           = undef,
  Optional[Trigger::Path]               $cert_file         = undef,
  Optional[Trigger::Path]               $key_file          = undef,
  Optional[String[1]]                   $username          = undef,
  Optional[Trigger::Path]               $password_file     = undef,
  Optional[Trigger::Path]               $state_dir         = undef,
  Optional[Trigger::Path]               $socket            = undef,
  Variant[Trigger::Settings, Sensitive[Trigger::Settings]] $settings = {},
  Optional[Variant[Trigger::Source, Trigger::Withpassword]] $package_source = undef,
  Optional[Trigger::Sha256]             $package_checksum  = undef,
  Optional[Boolean]                     $manage_package    = undef,
  Optional[String[1]]                   $package_name      = undef,
  Optional[String[1]]                   $package_ensure    = undef,
  Optional[Trigger::Path]               $config_file       = undef,
  Optional[Trigger::Path]               $client_file       = undef,
  Optional[Boolean]                     $manage_config_dir = undef,
  Optional[Boolean]                     $manage_service    = undef,
  Optional[String[1]]                   $service_name      = undef,
  Optional[Enum['running', 'stopped']]  $service_ensure    = undef,
  Optional[Variant[Boolean, Enum['mask']]] $service_enable = undef,
  Optional[String[1]]                   $service_provider  = undef,
) {
  if $endpoints !~ Undef {
    trigger::assert_no_password('trigger::watch::etcd: endpoints', Trigger::Endpoint, $endpoints)
  }

  # Read by trigger::files.
  $own_name = trigger::own_name('trigger::watch::etcd', $node_name, $trigger_hostname)
  $watch = { 'enabled' => true, 'run_cmd' => trigger::absolute_command($run_cmd, $settings::codedir), 'allow' => $allow }

  $passed_on = trigger::given('trigger::watch::etcd', [
      'package_source', 'package_checksum', 'manage_package', 'package_name', 'package_ensure',
      'config_file', 'client_file', 'manage_config_dir',
      'manage_service', 'service_name', 'service_ensure', 'service_enable', 'service_provider',
  ])

  if $passed_on.empty {
    contain trigger
  } elsif defined(Class['trigger']) {
    fail("trigger::watch::etcd: the class trigger is declared as well. Give ${join($passed_on.keys, ', ')} there")
  } else {
    class { 'trigger':
      * => $passed_on,
    }
    contain trigger
  }

  if defined(File[$trigger::config_file]) {
    fail("trigger::watch::etcd: ${trigger::config_file} is already in the catalog. Declare this class outside of defined types")
  }
}
