# Goes on only when both databases have run Puppet, and neither run has failed.
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
