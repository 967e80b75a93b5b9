# @summary The peer URL of a member of an etcd cluster: scheme, host and port.
type Trigger::Etcd::PeerUrl = Pattern[/\Ahttps?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}\z/]
