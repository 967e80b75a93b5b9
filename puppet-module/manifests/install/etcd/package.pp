# @summary Installs etcd.
#
# @api private
class trigger::install::etcd::package {
  if $trigger::install::etcd::manage_package {
    trigger::package { $trigger::install::etcd::package_name:
      package_ensure  => $trigger::install::etcd::package_ensure,
      source          => $trigger::install::etcd::package_source,
      checksum        => $trigger::install::etcd::package_checksum,
      source_provider => $trigger::install::etcd::package_source_provider,
    }

    if $trigger::install::etcd::client_package_name !~ Undef and $trigger::install::etcd::package_source =~ Undef {
      package { $trigger::install::etcd::client_package_name:
        ensure => 'installed',
      }
    }
  }
}
