# @summary Returns whether a value contains a Sensitive value, at any depth.
#
# @api private
#
# @param value
#   Any value, usually a hash of settings.
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
