# @summary Runs the daemon.
#
# @api private
class trigger::service { # lint:ignore:autoloader_layout the folder of the checkout is puppet-module
  if $trigger::manage_service {
    service { $trigger::service_name:
      ensure    => $trigger::service_ensure,
      enable    => $trigger::service_enable,
      provider  => $trigger::service_provider,
      subscribe => File[$trigger::config_file],
    }
  }
}
