# A node without a Puppet server: a firing applies a manifest.
class { 'trigger::watch::etcd':
  trigger_hostname => 'lb01.example.com',
  run_cmd          => 'puppet apply /etc/puppet/manifests/site.pp',
}
