import type { Duplex } from 'node:stream';
import type { IWatchRequest, IWatchResponse } from 'etcd3';
import { TriggerdError } from '../../domain/errors.ts';
import { castError } from './cast-error.ts';
import { withDeadline } from './deadline.ts';
import type { EtcdTiming } from './options.ts';

/** What is needed of etcd3's stream: a gRPC call is a Node stream, which its types do not say. */
type WatchCall = Duplex & { cancel(): void };

/**
 * One watch RPC as a sequence of responses, each asked for with `next`, so that a slow consumer slows etcd down and not
 * this process's memory. Silence is never trusted: see `next`.
 */
export class WatchStream {
  readonly #call: WatchCall;
  readonly #responses: AsyncIterator<IWatchResponse>;
  readonly #timing: EtcdTiming;
  #reason: string | undefined;

  constructor(call: unknown, timing: EtcdTiming) {
    this.#call = call as WatchCall;
    this.#timing = timing;
    this.#responses = this.#call[Symbol.asyncIterator]();
    // A cancelled call still reports its cancellation, when nobody reads it any more.
    this.#call.on('error', () => undefined);
  }

  /** Sends the request and waits until etcd has said that the watch exists. */
  async create(request: NonNullable<IWatchRequest['create_request']>, timeoutMs: number): Promise<void> {
    this.#send({ create_request: request });
    const response = await withDeadline(this.#read(), timeoutMs, 'create the watch');
    if (!response.created) throw lost('etcd answered something else than “created”');
    assertAlive(response);
  }

  /**
   * The next response. After a time of silence etcd is asked for a sign of life; without an answer the stream is given
   * up. Waiting for the consumer does not count as silence.
   */
  async next(): Promise<IWatchResponse> {
    const { watchIdleMs, watchAnswerMs } = this.#timing;
    const ask = setTimeout(() => this.#send({ progress_request: {} }), watchIdleMs);
    const giveUp = setTimeout(
      () => this.cancel(`etcd was silent for ${watchIdleMs + watchAnswerMs} ms`),
      watchIdleMs + watchAnswerMs,
    );
    try {
      const response = await this.#read();
      assertAlive(response);
      return response;
    } finally {
      clearTimeout(ask);
      clearTimeout(giveUp);
    }
  }

  /** Ends the stream; a pending `next` fails with the first reason given. */
  cancel(reason: string): void {
    this.#reason ??= reason;
    this.#call.cancel();
  }

  async #read(): Promise<IWatchResponse> {
    try {
      const { done, value } = await this.#responses.next();
      if (!done) return value;
    } catch (error) {
      throw this.#reason === undefined ? castError(error, 'watch') : lost(this.#reason);
    }
    throw lost(this.#reason ?? 'etcd ended the stream');
  }

  #send(request: IWatchRequest): void {
    if (this.#call.writable) this.#call.write(request);
  }
}

/** A cancelled watch has ended, for whatever reason etcd gives; a compaction's revision is kept for the log. */
const assertAlive = (response: IWatchResponse): void => {
  if (!response.canceled) return;
  const compactRevision = Number(response.compact_revision);
  if (compactRevision > 0)
    throw lost(`the revision to start from was compacted (up to ${compactRevision})`, { compactRevision });
  throw lost(`etcd cancelled it: ${response.cancel_reason || 'no reason given'}`);
};

const lost = (why: string, details: { readonly compactRevision?: number } = {}): TriggerdError =>
  new TriggerdError('etcd-unreachable', `watch: ${why}`, {
    details: details.compactRevision === undefined ? {} : { compactRevision: details.compactRevision },
  });
