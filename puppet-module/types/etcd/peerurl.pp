# @summary The URL where a member of an etcd cluster is reached by its peers: scheme, host and port.
type Trigger::Etcd::PeerUrl = Pattern[/\Ahttps?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}\z/]
