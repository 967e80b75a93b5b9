# @summary The URL of an etcd endpoint: scheme, host and port.
type Trigger::Endpoint = Pattern[/\Ahttps?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?\/?\z/]
