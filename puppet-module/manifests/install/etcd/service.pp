# @summary Runs etcd.
#
# @api private
class trigger::install::etcd::service {
  if $trigger::install::etcd::manage_service {
    service { $trigger::install::etcd::service_name:
      ensure => $trigger::install::etcd::service_ensure,
      enable => $trigger::install::etcd::service_enable,
    }
  }
}
