# @summary Configures the daemon `triggerd` to watch this node's inbox in etcd, and runs it.
#
# Writes the daemon's configuration and the settings that the provider `etcd` of the type `trigger` uses on this node. The
# daemon itself must be installed already.
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
# @param trigger_hostname
#   The name under which other nodes wake this one: what they write in `hosts`.
# @param run_cmd
#   What a firing runs here when it names no plugin.
# @param endpoints
#   URLs of etcd, tried in order.
# @param keyprefix
#   The prefix of all keys in etcd; the same on all nodes.
# @param allow
#   Plugins that a firing may start on this node; `puppet` stands for `run_cmd`.
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
#   Further sections and keys of the daemon's configuration, over those of this class.
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
class trigger::watch::etcd ( # lint:ignore:autoloader_layout the folder of the checkout is puppet-module
  Trigger::Hostname              $trigger_hostname  = $trusted['certname'],
  String[1]                      $run_cmd           = 'puppet agent --test',
  Array[Trigger::Endpoint, 1]    $endpoints         = ['http://127.0.0.1:2379'],
  Trigger::Keyprefix             $keyprefix         = '/trigger',
  Array[Trigger::Plugin]         $allow             = ['puppet'],
  Optional[Trigger::Path]        $ca_file           = undef,
  Optional[Trigger::Path]        $cert_file         = undef,
  Optional[Trigger::Path]        $key_file          = undef,
  Optional[String[1]]            $username          = undef,
  Optional[Trigger::Path]        $password_file     = undef,
  Trigger::Path                  $state_dir         = '/var/lib/triggerd',
  Trigger::Path                  $socket            = '/run/triggerd/triggerd.sock',
  Hash[String[1], Hash]          $settings          = {},
  Trigger::Path                  $config_file       = '/etc/triggerd/triggerd.toml',
  Trigger::Path                  $client_file       = '/etc/triggerd/client.json',
  Boolean                        $manage_config_dir = true,
  Boolean                        $manage_service    = true,
  String[1]                      $service_name      = 'triggerd',
  Enum['running', 'stopped']     $service_ensure    = 'running',
  Variant[Boolean, Enum['mask']] $service_enable    = true,
  Optional[String[1]]            $service_provider  = undef,
) {
  if $cert_file =~ Undef and $key_file !~ Undef or $cert_file !~ Undef and $key_file =~ Undef {
    fail('trigger::watch::etcd: cert_file and key_file belong together; give both or neither')
  }
  if $username =~ Undef and $password_file !~ Undef or $username !~ Undef and $password_file =~ Undef {
    fail('trigger::watch::etcd: username and password_file belong together; give both or neither')
  }

  $node = downcase($trigger_hostname)
  $access = {
    'ca_file'       => $ca_file,
    'cert_file'     => $cert_file,
    'key_file'      => $key_file,
    'username'      => $username,
    'password_file' => $password_file,
  }
  $sections = {
    'node'  => { 'name' => $node, 'state_dir' => $state_dir, 'socket' => $socket },
    'etcd'  => { 'endpoints' => $endpoints, 'prefix' => $keyprefix } + $access,
    'watch' => { 'enabled' => true, 'run_cmd' => $run_cmd, 'allow' => $allow },
  }
  $all_sections = $settings.reduce($sections) |$known, $entry| {
    $own = $known[$entry[0]] ? { undef => {}, default => $known[$entry[0]] }
    $known + { $entry[0] => $own + $entry[1] }
  }

  $spool = $all_sections['node']['spool'] ? {
    undef   => "${all_sections['node']['state_dir']}/spool",
    default => $all_sections['node']['spool'],
  }
  $client = {
    'endpoints' => $endpoints,
    'prefix'    => $keyprefix,
    'node'      => $node,
    'spool'     => $spool,
    'socket'    => $all_sections['node']['socket'],
  }

  if $manage_config_dir {
    file { unique([$config_file, $client_file].map |$file| { regsubst($file, '/[^/]+$', '') }):
      ensure => directory,
      owner  => 'root',
      group  => 'root',
      mode   => '0755',
    }
  }

  file {
    default:
      ensure => file,
      owner  => 'root',
      group  => 'root',
      mode   => '0644',
      ;
    $config_file:
      content => epp('trigger/triggerd.toml.epp', { 'sections' => $all_sections }),
      ;
    $client_file:
      content => trigger::to_pretty_json($client + $access),
  }

  if $manage_service {
    service { $service_name:
      ensure    => $service_ensure,
      enable    => $service_enable,
      provider  => $service_provider,
      subscribe => File[$config_file],
    }
  }
}
