# A single node: the daemon, which is already installed, runs its own etcd and watches for firings.
package { 'etcd-server':
  ensure => installed,
}

# Debian starts this etcd, and every account of the node can use it.
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
