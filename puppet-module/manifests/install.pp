# @summary Installs the package of the daemon.
#
# @api private
class trigger::install {
  if $trigger::manage_group {
    group { 'triggerd':
      ensure => present,
      system => true,
    }
  }

  if $trigger::manage_package {
    trigger::package { $trigger::package_name:
      package_ensure  => $trigger::package_ensure,
      source          => $trigger::package_source,
      checksum        => $trigger::package_checksum,
      source_provider => $trigger::package_source_provider,
    }
  }
}
