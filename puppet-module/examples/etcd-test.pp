# Touches a file; when that changed something, the two load balancers are told.
# Try it: puppet apply --modulepath <the folder with the module trigger> examples/etcd-test.pp
exec { 'touch /tmp/foo':
  path    => ['/bin', '/usr/bin'],
  creates => '/tmp/foo',
  notify  => Trigger['refresh load balancers'],
}

trigger { 'refresh load balancers':
  hosts => ['lb01.example.com', 'lb02.example.com'],
}
