# @summary An IPv4 or IPv6 address.
type Trigger::Address = Pattern[/\A[0-9]{1,3}(?:\.[0-9]{1,3}){3}\z/, /\A(?=[^:]*:)[0-9A-Fa-f:]+(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3})?\z/]
