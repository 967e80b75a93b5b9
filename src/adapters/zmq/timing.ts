import type { Router, SocketOptions } from 'zeromq';

/** What every socket of the bus has: libzmq's defaults wait for ever where these do not. ms. */
export const socketTiming = {
  /** Messages that were given to the socket before it was closed may still go out for so long. */
  linger: 1_000,
  handshakeInterval: 10_000,
  /** ZMTP's own heartbeat notices a connection that is dead, below the bus's, which notices a peer that is. */
  heartbeatInterval: 5_000,
  heartbeatTimeout: 15_000,
  heartbeatTimeToLive: 20_000,
  connectTimeout: 5_000,
  reconnectInterval: 100,
  reconnectMaxInterval: 5_000,
} as const satisfies SocketOptions<Router>;
