import type { BrokerEndpoint } from '../domain/broker-address.ts';

/** A connected peer, as the router names it: an opaque string, unforgeable for the life of the connection. */
export type PeerId = string;

/** One message as the codec gives it: a checked header and a body. */
export interface Message<Head> {
  readonly head: Head;
  readonly body: Buffer;
}

/**
 * One connection to one broker, which comes and goes by itself until it is closed. Nothing that was given to `send` before
 * a `down` is sent after it.
 */
export interface Connection {
  /** False: not connected, or so much waits already that this one was not taken. */
  send(head: string, body?: Buffer): boolean;
  /** Bytes that wait for the socket; what is large may wait for `onDrained`. */
  readonly queuedBytes: number;
  /** Sends what waits, for a second at most, and is gone. Nothing is called after it has been called. */
  close(): Promise<void>;
}

export interface ConnectionListener {
  /** Encrypted and open: say `hello` or `ready`. The other side knows nothing of an earlier connection. */
  up(): void;
  /** `reason` in words. It tries again by itself; called once for each `up`, and for a first connection that fails. */
  down(reason: string): void;
  /** Another address of the broker is tried, once the one before has had its time: whoever waits for `up` begins anew. */
  attempting?(): void;
  /** One message, as it came: for `decode…` of the codec. Must not throw. */
  message(head: Buffer, body: Buffer): void;
  /** Nothing waits for the socket any more. */
  drained?(): void;
}

export type Connect = (broker: BrokerEndpoint, listener: ConnectionListener) => Connection;
