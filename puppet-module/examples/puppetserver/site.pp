# A site with a Puppet server and PuppetDB: a new web server reaches the load balancers as soon as its own run says so. The small
# etcd runs on the Puppet server; everybody uses the certificates of Puppet's authority.
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

  # Collects what the web servers export for it.
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

  # What is exported changes nothing here, so it can not notify; this file changes with it.
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
