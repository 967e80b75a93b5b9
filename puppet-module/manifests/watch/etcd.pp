# @summary Lets other nodes wake this one: the daemon watches this node's inbox in etcd and runs what is fired at it.
#
# Includes the class `trigger`, which installs, configures and runs the daemon. What is not said here comes from there. To give
# `trigger` parameters of its own, declare it before this class, or use Hiera.
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
# @example With the daemon's package; manage_package => true takes it from the node's repositories instead
#   class { 'trigger::watch::etcd':
#     trigger_hostname => 'lb01.example.com',
#     package_source   => '/srv/packages/triggerd_0.1.0_amd64.deb',
#   }
#
# @param trigger_hostname
#   The name under which other nodes wake this one: what they write in `hosts`.
# @param run_cmd
#   What a firing runs here when it names no plugin. It runs in `/`, so paths in it are absolute; only the manifest of
#   `puppet apply` may be relative, and is then below Puppet's `codedir` (that of the machine that compiles the catalogue).
# @param allow
#   Plugins that a firing may start on this node; `puppet` stands for `run_cmd`.
# @param endpoints
#   URLs of etcd, tried in order.
# @param keyprefix
#   The prefix of all keys in etcd; the same on all nodes.
# @param ca_file
#   The authority that signed etcd's certificates.
# @param cert_file
#   This node's certificate, where etcd asks for one.
# @param key_file
#   The key of that certificate.
# @param username
#   The user in etcd, where it has authentication enabled.
# @param password_file
#   A file with that user's password.
# @param state_dir
#   Where the daemon keeps its queue, and in `spool` below it what it has to publish.
# @param socket
#   The daemon's control socket.
# @param settings
#   Further sections and keys of the daemon's configuration, over everything else.
# @param package_source
#   As in the class `trigger`: the package, which is installed where this is given.
# @param package_checksum
#   The SHA-256 checksum of the package; a URL needs it.
# @param manage_package
#   Whether to install the package; `true` takes it from the node's repositories where `package_source` is not given.
# @param package_name
#   The name of the package.
# @param package_ensure
#   A version, or what else a package resource takes.
# @param config_file
#   As in the class `trigger`, as is everything below; only where that class is not declared with parameters of its own.
# @param client_file
#   The settings of the type `trigger` on this node.
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
class trigger::watch::etcd ( # lint:ignore:autoloader_layout the folder of the checkout is puppet-module
  Optional[Trigger::Hostname]           $trigger_hostname  = undef,
  String[1]                             $run_cmd           = 'puppet agent --test',
  Array[Trigger::Plugin]                $allow             = ['puppet'],
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
  Optional[Trigger::Source]             $package_source    = undef,
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
  $watch = { 'enabled' => true, 'run_cmd' => trigger::absolute_command($run_cmd, $settings::codedir), 'allow' => $allow }
  $node = { 'name' => $trigger_hostname, 'state_dir' => $state_dir, 'socket' => $socket }.filter |$_, $value| { $value !~ Undef }
  $etcd = {
    'endpoints'     => $endpoints,
    'prefix'        => $keyprefix,
    'ca_file'       => $ca_file,
    'cert_file'     => $cert_file,
    'key_file'      => $key_file,
    'username'      => $username,
    'password_file' => $password_file,
  }.filter |$_, $value| { $value !~ Undef }

  $passed_on = {
    'package_source'    => $package_source,
    'package_checksum'  => $package_checksum,
    'manage_package'    => $manage_package,
    'package_name'      => $package_name,
    'package_ensure'    => $package_ensure,
    'config_file'       => $config_file,
    'client_file'       => $client_file,
    'manage_config_dir' => $manage_config_dir,
    'manage_service'    => $manage_service,
    'service_name'      => $service_name,
    'service_ensure'    => $service_ensure,
    'service_enable'    => $service_enable,
    'service_provider'  => $service_provider,
  }.filter |$_, $value| { $value !~ Undef }

  if $passed_on.empty {
    contain trigger
  } elsif defined(Class['trigger']) {
    fail("trigger::watch::etcd: the class trigger is declared as well; give ${join($passed_on.keys, ', ')} there")
  } else {
    class { 'trigger':
      * => $passed_on,
    }
    contain trigger
  }

  if defined(File[$trigger::config_file]) {
    fail("trigger::watch::etcd: ${trigger::config_file} is written already; declare this class outside of defined types")
  }
}
