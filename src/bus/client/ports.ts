import type { BrokerAddress, ClientMessage, ToClient } from '../messages.ts';

/** Where a broker is and what proves it to be that one. */
export type DialledBroker = Pick<BrokerAddress, 'endpoint' | 'key'>;

/** A connection to one broker. It is used for one life of the connection: what comes after a break is a new link. */
export interface BrokerLink {
  /** Never waits, never throws; what can not be sent is lost with the link. */
  send(message: ClientMessage, body?: Buffer): void;
  close(): void;
}

export interface LinkListener {
  /** One that the codec found well-formed. */
  message(message: ToClient, body: Buffer): void;
  /** The connection could not be made, or is gone; nothing follows. `why` in words, after the broker's address. */
  down(why: string): void;
}

export type Dial = (broker: DialledBroker, listener: LinkListener) => BrokerLink;

/** A clock that nobody sets, in ms. */
export interface Clock {
  now(): number;
  /** Returns how to stop it. */
  after(ms: number, act: () => void): () => void;
}

/** Who asks: a password, which is exchanged for tokens, or a token. */
export type Credentials =
  | { readonly team: string; readonly identity: string; readonly secret: string }
  | { readonly jwt: string };
