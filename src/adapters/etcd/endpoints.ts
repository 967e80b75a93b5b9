import type { CallOptions } from '@grpc/grpc-js';
import type { Etcd3 } from 'etcd3';
import { TriggerdError } from '../../domain/errors.ts';
import { formatDuration } from '../../kit/duration.ts';
import { withTimeout } from '../../kit/with-timeout.ts';
import { isEtcdAway } from '../../store/etcd-away.ts';
import { castError, explainOutage } from './cast-error.ts';
import { createClient, defaultRequestTimeoutMs, type EtcdOptions } from './client.ts';

/** At least one more try, because the first failure is often only how a dead connection is noticed. */
const minAttempts = 2;
/** A silent endpoint may use up a third of what is left; one that refuses costs no time. */
const sharesLeft = 2;

type Use<T> = (client: Etcd3, options: CallOptions) => Promise<T>;

/**
 * Which endpoint to use, and its client. One is kept for as long as it answers, so that successive reads come from one
 * member; after a failure its client is thrown away (with its connection, its back-off and its auth token) and the next
 * endpoint's turn has come.
 */
export class Endpoints {
  readonly #options: EtcdOptions;
  readonly #timeoutMs: number;
  /** Any one to begin with: a fleet with one configuration spreads over the members. */
  #index: number;
  #client: Etcd3 | undefined;
  #closed = false;

  constructor(options: EtcdOptions) {
    this.#options = options;
    this.#index = Math.floor(Math.random() * options.endpoints.length);
    this.#timeoutMs = options.requestTimeoutMs ?? defaultRequestTimeoutMs;
  }

  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  get current(): string {
    return this.#options.endpoints[this.#index] ?? this.#options.endpoints[0];
  }

  /** One unary call within the request timeout, on other endpoints where that helps. A retried call may have been applied. */
  async call<T>(doing: string, use: Use<T>): Promise<T> {
    const attempts = Math.max(minAttempts, this.#options.endpoints.length);
    const endsAt = performance.now() + this.#timeoutMs;
    for (let attempt = 1; ; attempt++) {
      const remainingMs = Math.max(1, endsAt - performance.now());
      try {
        return await this.#callOnce(doing, use, this.#shareOf(remainingMs, Math.min(sharesLeft, attempts - attempt)));
      } catch (error) {
        const again = error instanceof TriggerdError && isEtcdAway(error.code) && attempt < attempts;
        if (!again || this.#closed || performance.now() >= endsAt) throw error;
      }
    }
  }

  /** The client of the calls, for a stream that may end with it. */
  shared(): { readonly client: Etcd3; readonly endpoint: string } {
    this.#assertOpen();
    this.#client ??= createClient(this.current, this.#options);
    return { client: this.#client, endpoint: this.current };
  }

  /** A client of its own for a stream: what goes wrong there costs nothing else. The caller closes it. */
  dedicated(): { readonly client: Etcd3; readonly endpoint: string } {
    this.#assertOpen();
    return { client: createClient(this.current, this.#options), endpoint: this.current };
  }

  /** Moves on from `endpoint`, unless that has happened already. */
  failed(endpoint: string): void {
    if (endpoint !== this.current) return;
    this.#client?.close();
    this.#client = undefined;
    this.#index = (this.#index + 1) % this.#options.endpoints.length;
  }

  close(): void {
    this.#closed = true;
    this.#client?.close();
    this.#client = undefined;
  }

  async #callOnce<T>(doing: string, use: Use<T>, ms: number): Promise<T> {
    this.#assertOpen();
    const endpoint = this.current;
    this.#client ??= createClient(endpoint, this.#options);
    const what = `${doing} at ${endpoint}`;
    try {
      // gRPC's deadline does not cover the connection's authentication; ours does.
      return await withDeadline(use(this.#client, { deadline: Date.now() + ms }), ms, what);
    } catch (error) {
      const cast = castError(error, what);
      if (isEtcdAway(cast.code)) this.failed(endpoint);
      throw await explainOutage(cast, endpoint);
    }
  }

  /** A frozen endpoint must leave time for the others; the only one may use it all. */
  #shareOf(remainingMs: number, attemptsLeft: number): number {
    return this.#options.endpoints.length === 1 ? remainingMs : Math.ceil(remainingMs / (attemptsLeft + 1));
  }

  #assertOpen(): void {
    if (this.#closed) throw new TriggerdError('etcd-unreachable', 'the connection to etcd has been closed');
  }
}

/** The promise, or `etcd-unreachable` after `ms`. What lost the race continues unheard: its owner closes its client. */
export const withDeadline = <T>(promise: Promise<T>, ms: number, what: string): Promise<T> =>
  withTimeout(promise, ms, () => {
    const why = `${what}: no answer in ${formatDuration(ms)}`;
    throw new TriggerdError('etcd-unreachable', why, { details: { late: true } });
  });
