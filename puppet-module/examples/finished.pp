# Tells the load balancers when this whole run has ended, and only if nothing in it failed.
notify { 'a new release':
  notify => Trigger['refresh load balancers'],
}

trigger { 'refresh load balancers':
  hosts => ['lb01.example.com', 'lb02.example.com'],
  apply => finished,
}
