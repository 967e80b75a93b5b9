# @summary Installs a package from the node's repositories, a file on the node, the Puppet server or a URL.
#
# @api private
#
# @param package_ensure
#   The `ensure` of the package resource. With a source, `installed` means the version of that package.
# @param source
#   A file on the node, a file on the Puppet server, or a URL.
# @param checksum
#   The SHA-256 checksum of the package. Required for a URL.
# @param source_provider
#   The provider of the package resource if a source is given.
define trigger::package (
  String[1]                 $package_ensure,
  String[1]                 $source_provider,
  Optional[Trigger::Source] $source   = undef,
  Optional[Trigger::Sha256] $checksum = undef,
) {
  $from_url = $source =~ Trigger::Url
  if $from_url and $checksum =~ Undef {
    fail("trigger: the package ${title} comes from a URL, so its checksum is needed. Set package_checksum (sha256sum FILE shows it)")
  }
  if $checksum !~ Undef and !$from_url {
    fail("trigger: package_checksum of ${title} is only for a package from a URL. Remove package_checksum")
  }

  if $from_url or $source =~ Trigger::Served {
    # The Puppet server itself sends the checksum of a file.
    $verification = if $from_url { { 'checksum' => 'sha256', 'checksum_value' => $checksum } } else { {} }
    $folder = '/var/cache/triggerd'
    $file = "${folder}/${title}.package"

    # Both packages may come from URLs: the daemon's and etcd's.
    if !defined(File[$folder]) {
      file { $folder:
        ensure => directory,
        owner  => 'root',
        group  => 'root',
        mode   => '0755',
      }
    }
    file { $file:
      ensure => file,
      owner  => 'root',
      group  => 'root',
      mode   => '0644',
      source => $source,
      before => Package[$title],
      *      => $verification,
    }
  } else {
    $file = $source
  }

  if $source =~ Undef {
    package { $title:
      ensure => $package_ensure,
    }
  } else {
    # `installed` accepts any version. For the providers dpkg and rpm, `latest` is the version in the file.
    $wanted = $package_ensure ? {
      'installed' => 'latest',
      default     => $package_ensure,
    }
    package { $title:
      ensure   => $wanted,
      provider => $source_provider,
      source   => $file,
    }
  }
}
