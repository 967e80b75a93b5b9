# @summary A string that may contain a password. Classes accept it only to refuse it themselves: Puppet's own error would print it.
# @api private
type Trigger::Withpassword = Pattern[/@/]
