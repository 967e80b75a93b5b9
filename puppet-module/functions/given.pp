# @summary Returns the variables of a class that have a value.
#
# @api private
#
# @param class
#   A class that is declared already.
# @param names
#   The names of its variables, or a hash: the keys of the result, each with the name of the variable.
#
# @return [Hash] the values by name, without those that are undef
#
# @example
#   trigger::given('trigger', { 'prefix' => 'keyprefix', 'username' => 'username' }) # { 'prefix' => '/trigger' }
function trigger::given(String[1] $class, Variant[Array[String[1]], Hash[String[1], String[1]]] $names) >> Hash {
  $variables = $names ? { Hash => $names, default => Hash($names.map |$name| { [$name, $name] }) }
  $variables.reduce({}) |$known, $pair| {
    $value = getvar("${class}::${pair[1]}")
    $known + ($value ? { Undef => {}, default => { $pair[0] => $value } })
  }
}
