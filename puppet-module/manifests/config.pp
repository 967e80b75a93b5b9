# @summary Writes the configuration of the daemon and the settings of the type.
#
# @api private
class trigger::config {
  if $trigger::manage_config_dir {
    file { unique([$trigger::config_file, $trigger::client_file].map |$file| { regsubst($file, '/[^/]+$', '') }):
      ensure => directory,
      owner  => 'root',
      group  => 'root',
      mode   => '0755',
    }
  }

  # Puppet evaluates a define after the classes, so the define knows whether trigger::watch::etcd is declared.
  trigger::files { 'triggerd': }
}
