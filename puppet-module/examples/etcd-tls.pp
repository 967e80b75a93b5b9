# A cluster of three with TLS: nodes and etcd identify each other by their certificates of Puppet's CA.
class { 'trigger::install::etcd':
  members => {
    'etcd1.example.com' => 'https://etcd1.example.com:2380',
    'etcd2.example.com' => 'https://etcd2.example.com:2380',
    'etcd3.example.com' => 'https://etcd3.example.com:2380',
  },
  tls     => 'puppet',
}

$certificate = $facts['trigger']['certificate']

class { 'trigger::watch::etcd':
  endpoints => ['https://etcd1.example.com:2379', 'https://etcd2.example.com:2379', 'https://etcd3.example.com:2379'],
  *         => $certificate,
}
