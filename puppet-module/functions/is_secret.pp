# @summary Whether there is something Sensitive in a value, however deep.
#
# @api private
#
# @param value
#   Anything: a hash of settings as a rule.
#
# @return [Boolean]
#
# @example
#   trigger::is_secret({ 'workers' => { 'team1' => { 'demo01' => { 'token' => Sensitive('9b1b') } } } }) # true
function trigger::is_secret(Any $value) >> Boolean {
  $value ? {
    Sensitive => true,
    Hash      => $value.any |$_, $each| { trigger::is_secret($each) },
    Array     => $value.any |$each| { trigger::is_secret($each) },
    default   => false,
  }
}
