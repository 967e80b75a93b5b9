# A member of a static cluster of three; the same manifest on each. It waits for the others by itself.
class { 'trigger::install::etcd':
  members     => {
    'etcd1' => 'http://192.168.50.11:2380',
    'etcd2' => 'http://192.168.50.12:2380',
    'etcd3' => 'http://192.168.50.13:2380',
  },
  member_name => $facts['networking']['hostname'],
}
