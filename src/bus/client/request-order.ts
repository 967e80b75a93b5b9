import type { RequestId } from '../../domain/request.ts';
import type { Algorithm } from '../../domain/service.ts';
import type { ClientMessage, FromJob } from '../messages.ts';

/** What is asked for. */
export interface RequestOrder extends FromJob {
  readonly service: string;
  readonly plugin: string;
  readonly payload: Buffer;
  readonly args: Readonly<Record<string, string>>;
  /** Null: the service's own. */
  readonly timeoutMs: number | null;
  readonly chain: readonly string[];
  readonly ttl: number;
  /** Nobody will read the output. */
  readonly discardOutput: boolean;
  /** Of whoever keeps it to ask again under the same one. When missing: a new one. */
  readonly id?: RequestId;
  /** It was asked for before, by a client that is gone: it may run. */
  readonly resume?: boolean;
}

export interface Accepted {
  /** Null where a worker was asked and not a service. */
  readonly algorithm: Algorithm | null;
  /** How many workers have a part of it each; null: one at a time, or a broker of before, which does not say it. */
  readonly workers: number | null;
}

/** The way to the present broker. */
export interface RequestChannel {
  /** Undefined: no broker is there now. Otherwise counts connections. */
  readonly epoch: number | undefined;
  readonly jwt: string;
  /** Whether the present broker checks proofs. */
  readonly checksProofs: boolean;
  send(message: ClientMessage, body?: Buffer): void;
  /** A new token, after this one was refused; false: there is none to be had. */
  renewToken(): boolean;
  /** The broker takes nothing new. */
  moveOn(): void;
}
