# @summary Runs etcd.
#
# @api private
class trigger::install::etcd::service { # lint:ignore:autoloader_layout the folder of the checkout is puppet-module
  if $trigger::install::etcd::manage_service {
    service { $trigger::install::etcd::service_name:
      ensure => $trigger::install::etcd::service_ensure,
      enable => $trigger::install::etcd::service_enable,
    }
  }
}
