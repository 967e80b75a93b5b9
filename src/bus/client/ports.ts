import type { BrokerAddress } from '../../domain/broker-address.ts';

/** Where a broker is and what proves it to be that one. */
export type DialledBroker = Pick<BrokerAddress, 'endpoint' | 'key'>;

/** A clock that nobody sets, in ms. */
export interface Clock {
  now(): number;
  /** Returns how to stop it. */
  after(ms: number, act: () => void): () => void;
}

/** Who asks: a password, which is exchanged for tokens, or a token. */
export type Credentials =
  | {
      readonly team: string;
      readonly identity: string;
      readonly secret: string;
      /** How long each token is wanted for. Default: as the broker decides. */
      readonly tokenTtlMs?: number;
    }
  | { readonly jwt: string };
