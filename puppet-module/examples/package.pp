# Installs the daemon's package from a file server. A new URL or checksum is an upgrade. Running jobs continue.
class { 'trigger':
  package_source   => 'https://files.example.com/triggerd_0.1.0_amd64.deb',
  package_checksum => '3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7',
  endpoints        => ['https://etcd1.example.com:2379'],
}

include trigger::watch::etcd
