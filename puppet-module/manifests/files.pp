# @summary The two files of `trigger`, with what `trigger::watch::etcd` adds to them.
#
# @api private
define trigger::files { # lint:ignore:autoloader_layout the folder of the checkout is puppet-module
  $base = {
    'endpoints'     => $trigger::endpoints,
    'prefix'        => $trigger::keyprefix,
    'ca_file'       => $trigger::ca_file,
    'cert_file'     => $trigger::cert_file,
    'key_file'      => $trigger::key_file,
    'username'      => $trigger::username,
    'password_file' => $trigger::password_file,
  }
  $daemon = { 'name' => $trigger::trigger_hostname, 'state_dir' => $trigger::state_dir, 'socket' => $trigger::socket }

  if defined(Class['trigger::watch::etcd']) {
    $etcd = $base + $trigger::watch::etcd::etcd
    $node = $daemon + $trigger::watch::etcd::node
    $watch = $trigger::watch::etcd::watch
    $added = [$trigger::settings, $trigger::watch::etcd::settings]
  } else {
    $etcd = $base
    $node = $daemon
    $watch = { 'enabled' => false }
    $added = [$trigger::settings]
  }
  ['cert_file', 'key_file', 'username', 'password_file'].slice(2) |$one, $other| {
    if ($etcd[$one] =~ Undef) != ($etcd[$other] =~ Undef) {
      fail("trigger: ${one} and ${other} belong together; give both or neither")
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
  $client = $etcd + {
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
