# @summary Where something is fetched from: an http or https URL without a password in it.
type Trigger::Url = Pattern[/\Ahttps?:\/\/[^@\s\/]+\/[^\s]+\z/]
