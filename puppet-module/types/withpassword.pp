# @summary A text that may have a password in it. Classes take it only to refuse it in words of their own: Puppet's own print it.
# @api private
type Trigger::Withpassword = Pattern[/@/]
