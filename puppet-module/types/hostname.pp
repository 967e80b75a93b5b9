# @summary The name of a node, as in `hosts` of a trigger.
type Trigger::Hostname = Pattern[/\A(?=.{1,253}\z)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\z/]
