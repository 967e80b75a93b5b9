# Fires to the load balancers at the end of this run, and only if nothing in the run failed.
notify { 'a new release':
  notify => Trigger['refresh load balancers'],
}

trigger { 'refresh load balancers':
  hosts => ['lb01.example.com', 'lb02.example.com'],
  apply => finished,
}
