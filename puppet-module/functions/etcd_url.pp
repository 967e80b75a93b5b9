# @summary Returns the URL of a host or address and a port.
#
# @api private
#
# @param scheme
#   `http` or `https`.
# @param host
#   A name or an address. The function adds the brackets of an IPv6 address.
# @param port
#   The port.
#
# @return [String]
#
# @example
#   trigger::etcd_url('https', '::1', 2379) # https://[::1]:2379
function trigger::etcd_url(String[1] $scheme, String[1] $host, Variant[Integer, String[1]] $port) >> String {
  if $host =~ /\A[^\[].*:/ {
    "${scheme}://[${host}]:${port}"
  } else {
    "${scheme}://${host}:${port}"
  }
}
