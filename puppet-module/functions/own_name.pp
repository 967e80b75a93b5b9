# @summary Returns the name of a node from the two parameters that can give it.
#
# @api private
#
# @param class
#   The class that has the parameters, for the error message.
# @param node_name
#   The parameter.
# @param trigger_hostname
#   The earlier name of the same parameter.
# @param fallback
#   The name if neither is given.
#
# @return [Optional[Trigger::Hostname]]
#
# @example
#   trigger::own_name('trigger', 'lb01.example.com', undef, $trusted['certname']) # lb01.example.com
function trigger::own_name(
  String[1]                   $class,
  Optional[Trigger::Hostname] $node_name,
  Optional[Trigger::Hostname] $trigger_hostname,
  Optional[Trigger::Hostname] $fallback = undef,
) >> Optional[Trigger::Hostname] {
  if $node_name !~ Undef and $trigger_hostname !~ Undef {
    fail("${class}: node_name and trigger_hostname are two names of one parameter. Give only node_name.")
  }
  [$node_name, $trigger_hostname, $fallback].filter |$each| { $each !~ Undef }[0]
}
