# On one machine: a changed resource wakes the two others, which run Puppet.
# `creates` makes it happen once; `rm /tmp/foo` makes it happen again.
exec { 'touch /tmp/foo':
  path    => ['/bin', '/usr/bin'],
  creates => '/tmp/foo',
  notify  => Trigger['refresh load balancers'],
}

trigger { 'refresh load balancers':
  hosts    => $facts['boxnet'].keys.filter |$host| { $host != $trusted['certname'] },
  provider => 'etcd',
}
