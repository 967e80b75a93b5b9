# A site with a Puppet server and PuppetDB. The run of a new web server triggers the load balancers, which then include the server.
# A small etcd runs on the Puppet server. All nodes use the certificates of Puppet's CA.
$certificate = $facts['trigger']['certificate']

class { 'trigger':
  package_source => 'puppet:///modules/profile/triggerd.deb',
}

class { 'trigger::watch::etcd':
  endpoints => ['https://puppet.example.com:2379'],
  settings  => { 'puppetdb' => $certificate + { 'url' => 'https://puppet.example.com:8081' } },
  *         => $certificate,
}

node 'puppet.example.com' {
  class { 'trigger::install::etcd':
    listen_address => '0.0.0.0',
    tls            => 'puppet',
  }
}

node /^lb/ {
  include haproxy

  # Collects the exported members of the web servers.
  haproxy::listen { 'webserver':
    ipaddress => '0.0.0.0',
    ports     => '80',
    mode      => 'http',
  }
}

node /^web/ {
  $load_balancers = puppetdb_query('resources[certname] { type = "Class" and title = "Haproxy" }')

  trigger { 'refresh load balancers':
    hosts => $load_balancers.map |$row| { $row['certname'] },
  }

  $member = {
    'listening_service' => 'webserver',
    'server_names'      => $trusted['hostname'],
    'ipaddresses'       => $facts['networking']['ip'],
    'ports'             => '80',
    'options'           => 'check',
  }

  @@haproxy::balancermember { $trusted['certname']:
    * => $member,
  }

  # An exported resource changes nothing on this node, so it cannot notify. This file changes with it.
  file { '/etc/balancermember':
    content => String($member),
    notify  => Trigger['refresh load balancers'],
  }

  class { 'apache':
    default_vhost => false,
    default_mods  => ['dir'],
  }

  apache::vhost { 'first.example.com':
    port    => 80,
    docroot => '/var/www/first',
    notify  => Trigger['refresh load balancers'],
  }
}
