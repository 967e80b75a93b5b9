# Apply this manifest on one machine: the changed resource triggers Puppet on the other two.
# `creates` allows this once. To repeat it, run `rm /tmp/foo`.
exec { 'touch /tmp/foo':
  path    => ['/bin', '/usr/bin'],
  creates => '/tmp/foo',
  notify  => Trigger['refresh load balancers'],
}

trigger { 'refresh load balancers':
  hosts    => $facts['boxnet'].keys.filter |$host| { $host != $trusted['certname'] },
  provider => 'etcd',
}
