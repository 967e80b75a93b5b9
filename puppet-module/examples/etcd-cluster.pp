# A member of a static cluster of three, with certificates of your own CA. Apply the same manifest on each member. The member waits
# for the others in the background. With Puppet's CA, use the simpler etcd-tls.pp.
class { 'trigger::install::etcd':
  members     => {
    'etcd1' => 'https://192.168.50.11:2380',
    'etcd2' => 'https://192.168.50.12:2380',
    'etcd3' => 'https://192.168.50.13:2380',
  },
  member_name => $facts['networking']['hostname'],
  tls         => {
    'ca_file'   => '/etc/ssl/etcd/ca.pem',
    'cert_file' => '/etc/ssl/etcd/cert.pem',
    'key_file'  => '/etc/ssl/etcd/key.pem',
  },
}
