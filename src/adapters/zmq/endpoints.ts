import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Router, SocketOptions } from 'zeromq';
import { type Address, parseAddress, wordsOf } from '../../kit/address.ts';

/** One address of a broker as libzmq takes it. */
export interface ResolvedEndpoint {
  readonly endpoint: string;
  /** Of this socket only: with it libzmq would prefer IPv6 for names, and try nothing else. */
  readonly ipv6: boolean;
}

/** The addresses that a name has. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** More than a broker has, and few enough to try one after the other. */
const mostPlaces = 8;

/**
 * Where to connect to, in the order of the system's resolver: we resolve names ourselves, because libzmq tries one address of
 * one family. Throws an `Error` that says in words why there is none.
 */
export const resolvedEndpoints = async (
  endpoint: string,
  resolve: Resolve = resolveName,
): Promise<readonly ResolvedEndpoint[]> => {
  const address = parsed('connect', endpoint);
  if (isIP(address.host)) return [endpointAt(address, address.host)];
  const found = await resolve(address.host).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${endpoint}: ${wordsFor(address.host, error)}`, { cause: error });
  });
  return [...new Set(found)].slice(0, mostPlaces).map((host) => endpointAt(address, host));
};

/** Where to listen. libzmq takes addresses and interfaces; of a name it gets the first address. Throws as `resolvedEndpoints`. */
export const listeningEndpoint = async (
  endpoint: string,
  resolve: Resolve = resolveName,
): Promise<ResolvedEndpoint> => {
  const address = parsed('listen', endpoint);
  if (isIP(address.host)) return endpointAt(address, address.host);
  if (address.host === '*' || address.host in networkInterfaces()) return { endpoint: address.text, ipv6: false };
  const [first = address.host] = await resolve(address.host).catch((error: NodeJS.ErrnoException) => {
    throw new Error(wordsFor(address.host, error), { cause: error });
  });
  return endpointAt(address, first);
};

const parsed = (use: 'connect' | 'listen', endpoint: string): Address => {
  const address = parseAddress(use, endpoint);
  if (typeof address !== 'string') return address;
  throw new Error(`${endpoint} is not an address to ${use}: ${wordsOf(address) ?? 'expected tcp://host:port'}`);
};

const endpointAt = ({ port }: Address, host: string): ResolvedEndpoint =>
  isIPv6(host)
    ? { endpoint: `tcp://[${host}]:${port}`, ipv6: true }
    : { endpoint: `tcp://${host}:${port}`, ipv6: false };

const resolveName: Resolve = async (host) => {
  const found = await lookup(host, { all: true, verbatim: true });
  return found.map(({ address }) => address);
};

const wordsFor = (host: string, { code }: NodeJS.ErrnoException): string =>
  code === 'ENOTFOUND'
    ? `the name ${host} does not resolve`
    : `the name ${host} cannot be looked up, because the name server does not answer (${code ?? 'unknown'})`;

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
