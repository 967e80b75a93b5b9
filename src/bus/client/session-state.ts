import type { BrokerEndpoint } from '../../domain/broker-address.ts';
import type { Nonce, Welcome } from '../messages.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { BrokerLink } from './link.ts';
import type { TokenRenewal } from './tokens.ts';

/** What a session is doing; the picture of it is above `BrokerSession`. */
export type SessionState =
  | { readonly kind: 'asleep' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'resting'; readonly cancel: () => void }
  | Greeting
  | Proving
  | Ready;

interface Linked {
  readonly broker: BrokerEndpoint;
  readonly link: BrokerLink;
}

/** `cancel` ends the time that the broker has for an answer. */
export interface Greeting extends Linked {
  readonly kind: 'greeting';
  readonly cancel: () => void;
}

export interface Proving extends Linked {
  readonly kind: 'proving';
  readonly cancel: () => void;
  readonly welcome: Welcome;
  readonly n: Nonce;
}

export interface Ready extends Linked {
  readonly kind: 'ready';
  readonly welcome: Welcome;
  readonly heartbeat: Heartbeat;
  readonly renewal: TokenRenewal;
}
