# @summary Fails for an address with a user or a password in it, without repeating it.
#
# @api private
#
# @param parameter
#   The class and the parameter, for the message.
# @param expected
#   The type that an address has.
# @param values
#   The addresses.
#
# @return [Undef]
#
# @example
#   trigger::assert_no_password('trigger: endpoints', Trigger::Endpoint, ['http://etcd1:2379'])
function trigger::assert_no_password(String[1] $parameter, Type $expected, Array[String] $values) >> Undef {
  unless $values.all |$value| { $value =~ $expected } {
    fail("${parameter}: an address has no user and no password; etcd's go into username and password_file")
  }
}
