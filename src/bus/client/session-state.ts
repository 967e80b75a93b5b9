import type { Nonce, Welcome } from '../messages.ts';
import type { BrokerLink } from './link.ts';
import type { DialledBroker } from './ports.ts';

/** What a session is doing; the picture of it is above `BrokerSession`. */
export type SessionState =
  | { readonly is: 'asleep' }
  | { readonly is: 'closed' }
  | { readonly is: 'resting'; readonly cancel: () => void }
  | Greeting
  | Proving
  | Ready;

/** `cancel` ends the timer of the state. */
interface Linked {
  readonly broker: DialledBroker;
  readonly link: BrokerLink;
  cancel: () => void;
}

export interface Greeting extends Linked {
  readonly is: 'greeting';
}

export interface Proving extends Linked {
  readonly is: 'proving';
  readonly welcome: Welcome;
  readonly n: Nonce;
}

/** Times are the clock's. */
export interface Ready extends Linked {
  readonly is: 'ready';
  readonly welcome: Welcome;
  heardAt: number;
  sentAt: number;
  lookedAt: number;
  /** The nonce of a login that is under way. */
  asked: Nonce | undefined;
  cancelRenewal: () => void;
}
