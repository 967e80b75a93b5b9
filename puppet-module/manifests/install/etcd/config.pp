# @summary Manages the environment of etcd's unit, its certificates and its data directory.
#
# @api private
class trigger::install::etcd::config {
  $members = $trigger::install::etcd::members
  $clustered = $trigger::install::etcd::clustered
  $secure = $trigger::install::etcd::tls != 'none'
  $user = $trigger::install::etcd::user
  $token = $trigger::install::etcd::cluster_token

  $data_dir = if $trigger::install::etcd::data_dir !~ Undef {
    $trigger::install::etcd::data_dir
  } elsif $clustered {
    "/var/lib/etcd/${token}"
  } else {
    '/var/lib/etcd/default'
  }

  if $secure {
    contain trigger::install::etcd::tls
    $tls_flags = $trigger::install::etcd::tls::flags
  } else {
    $tls_flags = {}
  }

  $cluster_flags = if $clustered {
    {
      'initial-cluster-token' => $token,
      'initial-cluster-state' => $trigger::install::etcd::initial_cluster_state,
    }
  } else {
    {}
  }

  $flags = trigger::etcd_flags(
    $trigger::install::etcd::member_name,
    $members,
    $trigger::install::etcd::listen_address,
    $trigger::install::etcd::advertise_host,
    $trusted['certname'],
    $trigger::install::etcd::client_port,
    $secure,
  ) + $cluster_flags + $tls_flags + {
    'data-dir'                  => $data_dir,
    'enable-grpc-gateway'       => $trigger::install::etcd::enable_grpc_gateway,
    # Without compaction, etcd keeps every change until its quota is full.
    'auto-compaction-mode'      => 'periodic',
    'auto-compaction-retention' => '1h',
  } + $trigger::install::etcd::settings

  $drop_in = "/etc/systemd/system/${trigger::install::etcd::service_name}.service.d"

  file {
    default:
      owner => 'root',
      group => 'root',
      mode  => '0644',
      ;
    '/etc/etcd':
      ensure => directory,
      mode   => '0755',
      ;
    $trigger::install::etcd::config_file:
      ensure  => file,
      content => epp('trigger/etcd/environment.epp', { 'flags' => $flags }),
      ;
    $flags['data-dir']:
      ensure  => directory,
      owner   => $user,
      group   => $user,
      mode    => '0700',
      require => Class['trigger::install::etcd::package'],
  }

  if $clustered {
    file {
      default:
        owner  => 'root',
        group  => 'root',
        mode   => '0644',
        before => Class['trigger::install::etcd::package'],
        ;
      $drop_in:
        ensure => directory,
        mode   => '0755',
        ;
      "${drop_in}/trigger.conf":
        ensure => file,
        source => 'puppet:///modules/trigger/etcd-member.conf',
    }
  } else {
    file { "${drop_in}/trigger.conf":
      ensure => absent,
    }
  }

  # Puppet asks systemd whether a unit has changed on disk. systemd does not notice a new directory of drop-ins.
  exec { 'trigger::install::etcd: systemctl daemon-reload':
    command     => 'systemctl daemon-reload',
    onlyif      => 'test -d /run/systemd/system',
    path        => ['/usr/bin', '/bin'],
    refreshonly => true,
    subscribe   => File["${drop_in}/trigger.conf"],
  }
}
