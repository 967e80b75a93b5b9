# @summary The TLS of etcd: none, the node's Puppet certificate, or PEM files on the node.
type Trigger::Etcd::Tls = Variant[
  Enum['none', 'puppet'],
  Struct[{ 'ca_file' => Trigger::Path, 'cert_file' => Trigger::Path, 'key_file' => Trigger::Path }]
]
