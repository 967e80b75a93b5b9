# @summary The members of a static etcd cluster: their names, each with the URL where its peers reach it.
type Trigger::Etcd::Members = Hash[Trigger::Hostname, Trigger::Etcd::PeerUrl]
