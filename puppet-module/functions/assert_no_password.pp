# @summary Fails for an address that contains a user or a password. The message does not show the address.
#
# @api private
#
# @param parameter
#   The class and the parameter, for the error message.
# @param expected
#   The type of an address without a password.
# @param values
#   The addresses.
#
# @return [Undef]
#
# @example
#   trigger::assert_no_password('trigger: endpoints', Trigger::Endpoint, ['http://etcd1:2379'])
function trigger::assert_no_password(String[1] $parameter, Type $expected, Array[String] $values) >> Undef {
  unless $values.all |$value| { $value =~ $expected } {
    fail("${parameter}: an address has no user and no password. Set username and password_file for etcd's")
  }
}
