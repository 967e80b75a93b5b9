# @summary Copies certificate and key to where etcd can read them.
#
# @api private
class trigger::install::etcd::tls {
  $folder = $trigger::install::etcd::tls_dir
  $user = $trigger::install::etcd::user

  $given = if $trigger::install::etcd::tls == 'puppet' { $facts.dig('trigger', 'certificate') } else { $trigger::install::etcd::tls }
  if $given =~ Undef {
    fail('trigger::install::etcd: this node has no Puppet certificate (fact trigger.certificate). Give files as tls instead of puppet')
  }

  # These are paths on the node: the content of the files never enters a catalog.
  $copies = { 'ca_file' => "${folder}/ca.pem", 'cert_file' => "${folder}/cert.pem", 'key_file' => "${folder}/key.pem" }
  # A single etcd has a peer port too, and every account of this node can connect to it.
  $flags = {
    'cert-file'             => $copies['cert_file'],
    'key-file'              => $copies['key_file'],
    'trusted-ca-file'       => $copies['ca_file'],
    'client-cert-auth'      => $trigger::install::etcd::client_cert_auth,
    'peer-cert-file'        => $copies['cert_file'],
    'peer-key-file'         => $copies['key_file'],
    'peer-trusted-ca-file'  => $copies['ca_file'],
    'peer-client-cert-auth' => true,
  }

  file { $folder:
    ensure  => directory,
    owner   => 'root',
    group   => $user,
    mode    => '0750',
    require => Class['trigger::install::etcd::package'],
  }

  $copies.each |$what, $copy| {
    file { $copy:
      ensure    => file,
      owner     => 'root',
      group     => $user,
      mode      => '0640',
      source    => $given[$what],
      links     => 'follow',
      show_diff => false,
      backup    => false,
    }
  }
}
