# @summary A file on the Puppet server, such as `puppet:///modules/profile/triggerd.deb`.
type Trigger::Served = Pattern[/\Apuppet:\/\/[^@\s\/]*\/[^\s]+\z/]
