# @summary How etcd is reached: in clear, with the node's Puppet certificate, or with given files (PEM) on the node.
type Trigger::Etcd::Tls = Variant[
  Enum['none', 'puppet'],
  Struct[{ 'ca_file' => Trigger::Path, 'cert_file' => Trigger::Path, 'key_file' => Trigger::Path }]
]
