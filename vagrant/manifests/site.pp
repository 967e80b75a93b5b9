# A machine of the demo cluster: a member of etcd, and the daemon. A firing makes the daemon apply this manifest.
$members = $facts['boxnet']

# The machines have no common CA, because there is no Puppet server, and nothing to protect on their private network. For real machines,
# set tls: docs/how-to/etcd.md.
class { 'trigger::install::etcd':
  members        => $members.reduce({}) |$all, $member| { $all + { $member[0] => "http://${member[0]}:2380" } },
  listen_address => $members[$trusted['certname']],
  tls            => 'none',
}

class { 'trigger':
  package_source => '/var/cache/triggerd.deb',
  endpoints      => $members.keys.map |$host| { "http://${host}:2379" },
}

class { 'trigger::watch::etcd':
  run_cmd => 'puppet apply /vagrant/vagrant/manifests/site.pp',
}

Class['trigger::install::etcd'] -> Class['trigger']
