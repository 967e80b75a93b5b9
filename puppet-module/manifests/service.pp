# @summary Runs the daemon.
#
# @api private
class trigger::service {
  if $trigger::manage_service {
    # A fact without a version means that triggerd is not installed. Something else may install it, so this is no error.
    $is_missing = $facts['trigger'] =~ Hash and $facts.dig('trigger', 'version') =~ Undef
    $is_left_out = !$trigger::manage_package and !defined(Package[$trigger::package_name])
    if $is_missing and $is_left_out and $trigger::service_ensure == 'running' {
      notify { 'trigger: triggerd is not installed':
        message  => @("MESSAGE"/L),
          triggerd is not installed on this node, and the class trigger does not install it: the service ${trigger::service_name} \
          cannot start. Set trigger::package_source. If the node's repositories have triggerd, set trigger::manage_package to true.
          |- MESSAGE
        loglevel => warning,
        before   => Service[$trigger::service_name],
      }
    }
    service { $trigger::service_name:
      ensure    => $trigger::service_ensure,
      enable    => $trigger::service_enable,
      provider  => $trigger::service_provider,
      subscribe => File[$trigger::config_file],
    }
  }
}
