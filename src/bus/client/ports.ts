import type { TriggerdError } from '../../domain/errors.ts';
import type { ToClient } from '../messages.ts';

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

export interface SessionListener {
  /** A broker has welcomed us and we have a token: ask now. */
  ready(): void;
  /** A token in place of one that was refused or grew old. */
  renewed(): void;
  /** The broker is gone, says goodbye, or has forgotten us (null); whoever comes next is asked by itself. */
  lost(why: string | null): void;
  /** Every broker was asked, none answered; or our password was refused, and nobody is asked until `wake`. */
  failed(error: TriggerdError, isFinal: boolean): void;
  message(message: ToClient, body: Buffer): void;
}
