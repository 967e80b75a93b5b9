# @summary A file that the Puppet server serves, such as `puppet:///modules/profile/triggerd.deb`.
type Trigger::Served = Pattern[/\Apuppet:\/\/[^@\s\/]*\/[^\s]+\z/]
