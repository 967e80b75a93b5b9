# Continues only after Puppet has succeeded on both databases.
notify { 'the schema has changed':
  notify => Trigger['migrate databases'],
}

trigger { 'migrate databases':
  hosts   => ['db01.example.com', 'db02.example.com'],
  wait    => true,
  timeout => '10m',
}

notify { 'the databases are ready':
  require => Trigger['migrate databases'],
}
