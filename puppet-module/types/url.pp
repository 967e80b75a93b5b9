# @summary An http or https URL without a password.
type Trigger::Url = Pattern[/\Ahttps?:\/\/[^@\s\/]+\/[^\s]+\z/]
