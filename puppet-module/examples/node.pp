# A node alone: the daemon (installed already) with an etcd of its own, and a watcher.
package { 'etcd-server':
  ensure => installed,
}

# Debian's etcd, which every account of the node can use.
service { 'etcd':
  ensure  => stopped,
  enable  => false,
  require => Package['etcd-server'],
}

class { 'trigger':
  node_name => 'lb01.example.com',
  settings  => {
    'etcd' => { 'embedded' => true, 'embedded_port' => 12379 },
  },
  require   => Package['etcd-server'],
}

class { 'trigger::watch::etcd':
  run_cmd => 'puppet apply /etc/puppet/manifests/site.pp',
}
