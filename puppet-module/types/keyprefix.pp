# @summary The prefix of all keys in etcd.
type Trigger::Keyprefix = Pattern[/\A(?:\/[A-Za-z0-9_.-]+)+\z/]
