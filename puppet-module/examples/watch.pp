# A node that runs its Puppet agent when somebody fires a trigger at it.
class { 'trigger::watch::etcd':
  endpoints => ['http://etcd.example.com:2379'],
}
