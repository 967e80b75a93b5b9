# A node that has everything: a small etcd of its own, the daemon (installed already) and a watcher.
class { 'trigger::install::etcd': }

class { 'trigger':
  trigger_hostname => 'lb01.example.com',
}

class { 'trigger::watch::etcd':
  run_cmd => 'puppet apply /etc/puppet/manifests/site.pp',
}
