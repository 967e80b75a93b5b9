# A node that runs its Puppet agent when a trigger fires to it. etcd should require certificates: see etcd-tls.pp.
class { 'trigger::watch::etcd':
  endpoints => ['https://etcd.example.com:2379'],
}
