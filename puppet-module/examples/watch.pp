# A node that runs its Puppet agent when somebody fires a trigger at it. etcd should ask for certificates: etcd-tls.pp has them.
class { 'trigger::watch::etcd':
  endpoints => ['https://etcd.example.com:2379'],
}
