# @summary Writes the two files of `trigger`, with what `trigger::watch::etcd` adds.
#
# @api private
define trigger::files {
  # The keys of the two sections, each with the variable of both classes that has its value.
  $node_keys = { 'name' => 'own_name', 'state_dir' => 'state_dir', 'socket' => 'socket' }
  $etcd_keys = {
    'endpoints'     => 'endpoints',
    'prefix'        => 'keyprefix',
    'ca_file'       => 'ca_file',
    'cert_file'     => 'cert_file',
    'key_file'      => 'key_file',
    'username'      => 'username',
    'password_file' => 'password_file',
  }
  # The watcher comes last: it overrides.
  $classes = ['trigger', 'trigger::watch::etcd'].filter |$class| { defined(Class[$class]) }
  $node = $classes.reduce({}) |$known, $class| { $known + trigger::given($class, $node_keys) }
  $etcd = $classes.reduce({}) |$known, $class| { $known + trigger::given($class, $etcd_keys) }
  $added = $classes.map |$class| { getvar("${class}::settings") }
  $watch = if defined(Class['trigger::watch::etcd']) { $trigger::watch::etcd::watch } else { { 'enabled' => false } }

  ['cert_file', 'key_file', 'username', 'password_file'].slice(2) |$one, $other| {
    if ($etcd[$one] =~ Undef) != ($etcd[$other] =~ Undef) {
      fail("trigger: ${one} and ${other} belong together. Give both or neither")
    }
  }

  $secret = trigger::is_secret($added)
  $sections = { 'node' => $node + { 'name' => downcase($node['name']) }, 'etcd' => $etcd, 'watch' => $watch }
  $all_sections = $added.reduce($sections) |$known, $each| {
    $settings = $each ? { Sensitive => $each.unwrap, default => $each }
    $settings.reduce($known) |$merged, $entry| {
      $own = $merged[$entry[0]] ? { undef => {}, default => $merged[$entry[0]] }
      $merged + { $entry[0] => $own + $entry[1] }
    }
  }
  $configuration = epp('trigger/triggerd.toml.epp', { 'sections' => $all_sections })

  $spool = $all_sections['node']['spool'] ? {
    undef   => "${all_sections['node']['state_dir']}/spool",
    default => $all_sections['node']['spool'],
  }
  # The daemon issues the certificates of its embedded etcd, and the type finds them beside the spool. An http URL means the same
  # etcd, and works with an older daemon too: module and package are not upgraded at the same time.
  $embedded = $all_sections['etcd']
  $etcd_port = $embedded['embedded_port'] ? {
    undef   => $embedded['endpoints'][0] ? { /:(\d+)\/?\z/ => $1, default => 2379 },
    default => $embedded['embedded_port'],
  }
  $certificates = "${all_sections['node']['state_dir']}/etcd/tls"
  $way = if $embedded['embedded'] != true {
    {}
  } elsif $spool == "${all_sections['node']['state_dir']}/spool" {
    { 'endpoints' => ["http://127.0.0.1:${etcd_port}"] }
  } else {
    {
      'endpoints' => ["https://127.0.0.1:${etcd_port}"],
      'ca_file'   => "${certificates}/ca.pem",
      'cert_file' => "${certificates}/client.pem",
      'key_file'  => "${certificates}/client.pem",
    }
  }
  $client = $etcd + $way + {
    'node'   => $all_sections['node']['name'],
    'spool'  => $spool,
    'socket' => $all_sections['node']['socket'],
  }

  file {
    default:
      ensure => file,
      owner  => 'root',
      group  => 'root',
      mode   => '0644',
      ;
    $trigger::client_file:
      content => trigger::to_pretty_json($client),
  }

  if $secret {
    file { $trigger::config_file:
      ensure    => file,
      owner     => 'root',
      group     => 'triggerd',
      mode      => '0640',
      content   => Sensitive($configuration),
      show_diff => false,
    }
  } else {
    file { $trigger::config_file:
      ensure  => file,
      owner   => 'root',
      group   => 'root',
      mode    => '0644',
      content => $configuration,
    }
  }
}
