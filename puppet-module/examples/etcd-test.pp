# Creates a file. If the file did not exist before, the trigger fires to the two load balancers.
# To try it, run: puppet apply --modulepath <directory of the module trigger> examples/etcd-test.pp
exec { 'touch /tmp/foo':
  path    => ['/bin', '/usr/bin'],
  creates => '/tmp/foo',
  notify  => Trigger['refresh load balancers'],
}

trigger { 'refresh load balancers':
  hosts => ['lb01.example.com', 'lb02.example.com'],
}
