# @summary The flags of a single etcd or of a member of a static cluster, from the parameters of `trigger::install::etcd`.
#
# @api private
#
# @param name
#   The name of the member.
# @param members
#   The members of the cluster, each with its peer URL; empty for a single etcd.
# @param listen_address
#   Where clients reach this etcd, besides 127.0.0.1.
# @param advertise_host
#   The name or address of this node that clients are told.
# @param certname
#   What clients are told where nothing better is known.
# @param client_port
#   The port for clients.
# @param secure
#   Whether clients use TLS.
#
# @return [Hash] flags without the dashes in front, with their values
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

  # A peer is known by its host and port: [scheme, host with its brackets, port].
  $own = if $name in $members { $members[$name].match(/\A(https?):\/\/(\[.+\]|[^:]+):([0-9]+)\z/)[1, 3] } else { undef }
  $reachable = if $advertise_host !~ Undef {
    $advertise_host
  } elsif $own !~ Undef {
    $own[1]
  } elsif $addresses == ['127.0.0.1'] {
    '127.0.0.1'
  } else {
    $certname
  }

  $client = {
    'name'                  => $name,
    'listen-client-urls'    => $addresses.map |$address| { trigger::etcd_url($scheme, $address, $client_port) }.join(','),
    'advertise-client-urls' => trigger::etcd_url($scheme, $reachable, $client_port),
  }

  if $own =~ Undef {
    $client
  } else {
    # etcd listens on addresses only, and a peer URL may have a name.
    $peer_address = if regsubst($own[1], '[\[\]]', '', 'G') =~ Trigger::Address { $own[1] } else { '0.0.0.0' }
    $client + {
      'listen-peer-urls'            => trigger::etcd_url($own[0], $peer_address, $own[2]),
      'initial-advertise-peer-urls' => $members[$name],
      'initial-cluster'             => $members.map |$member, $url| { "${member}=${url}" }.join(','),
    }
  }
}
