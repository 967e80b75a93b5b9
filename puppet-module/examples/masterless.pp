# A node without a Puppet server. A firing applies a manifest.
class { 'trigger::watch::etcd':
  node_name => 'lb01.example.com',
  run_cmd   => 'puppet apply /etc/puppet/manifests/site.pp',
}
