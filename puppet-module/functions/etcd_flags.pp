# @summary Returns the flags of a single etcd or of a member of a static cluster, from the parameters of `trigger::install::etcd`.
#
# @api private
#
# @param name
#   The name of the member.
# @param members
#   The members of the cluster, each with its peer URL; empty for a single etcd.
# @param listen_address
#   The address for clients, besides 127.0.0.1.
# @param advertise_host
#   The name or address of this node in the URL that etcd advertises to clients.
# @param certname
#   The certname of this node: the fallback for `advertise_host`.
# @param client_port
#   The port for clients.
# @param secure
#   Whether clients use TLS.
#
# @return [Hash] flags without the leading dashes, with their values
function trigger::etcd_flags(
  String[1]                  $name,
  Trigger::Etcd::Members     $members,
  Optional[Trigger::Address] $listen_address,
  Optional[String[1]]        $advertise_host,
  String[1]                  $certname,
  Integer                    $client_port,
  Boolean                    $secure,
) >> Hash {
  $scheme = if $secure { 'https' } else { 'http' }
  $everywhere = ['0.0.0.0', '::']

  $addresses = if $listen_address in $everywhere {
    [$listen_address]
  } elsif $listen_address !~ Undef {
    unique(['127.0.0.1', $listen_address])
  } elsif $members.empty {
    ['127.0.0.1']
  } else {
    ['0.0.0.0']
  }

  # A single etcd is a cluster of one, and nobody uses its peer URL. etcd's default is localhost, which some nodes cannot resolve.
  $peers = if $members.empty { { $name => "${scheme}://127.0.0.1:2380" } } else { $members }
  $parts = $peers[$name].match(/\A(https?):\/\/(\[.+\]|[^:]+):([0-9]+)\z/)
  $host = $parts[2]
  $reachable = if $advertise_host !~ Undef {
    $advertise_host
  } elsif !$members.empty or $addresses == ['127.0.0.1'] {
    $host
  } else {
    $certname
  }

  # etcd listens only on addresses, but a peer URL may have a name.
  $peer_address = if regsubst($host, '[\[\]]', '', 'G') =~ Trigger::Address { $host } else { '0.0.0.0' }

  $flags = {
    'name'                        => $name,
    'listen-client-urls'          => $addresses.map |$address| { trigger::etcd_url($scheme, $address, $client_port) }.join(','),
    'advertise-client-urls'       => trigger::etcd_url($scheme, $reachable, $client_port),
    'listen-peer-urls'            => trigger::etcd_url($parts[1], $peer_address, $parts[3]),
    'initial-advertise-peer-urls' => $peers[$name],
    'initial-cluster'             => $peers.map |$member, $url| { "${member}=${url}" }.join(','),
  }
  $flags
}
