# @summary The members of a static etcd cluster: their names, each with its peer URL.
type Trigger::Etcd::Members = Hash[Trigger::Hostname, Trigger::Etcd::PeerUrl]
