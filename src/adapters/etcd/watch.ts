import type { Duplex } from 'node:stream';
import type { Etcd3, IEvent, IWatchRequest, IWatchResponse } from 'etcd3';
import { TriggerdError } from '../../domain/errors.ts';
import { onAbort } from '../../kit/on-abort.ts';
import type { Entry, WatchBatch, WatchEvent } from '../../store/key-store.ts';
import { castError } from './cast-error.ts';
import { defaultTiming, type EtcdOptions, type EtcdTiming } from './client.ts';
import { type Endpoints, withDeadline } from './endpoints.ts';
import { rangeOf, toEntry } from './ranges.ts';

/** The id in answers to a progress request, which asks about all watches of a stream. */
const allWatches = '-1';

/**
 * Our own watch loop; etcd3's takes its place from response headers and so loses what it had not delivered when a
 * connection breaks. Each watch has a client of its own, and any trouble ends both: the caller lists again.
 */
export async function* watchPrefix(
  endpoints: Endpoints,
  options: EtcdOptions,
  prefix: string,
  fromRevision: bigint,
  signal: AbortSignal,
): AsyncGenerator<WatchBatch, void, undefined> {
  if (signal.aborted) return;
  const { client, endpoint } = endpoints.dedicated();
  try {
    yield* watchRange({ client, endpoints, options }, rangeOf(prefix), fromRevision, signal);
  } catch (error) {
    endpoints.failed(endpoint);
    throw castError(error, `watch ${prefix} at ${endpoint}`);
  } finally {
    client.close();
  }
}

/** On the connection of the calls: as cheap as a call, and it ends with any trouble that one of them has. */
export const nextValueOf = async (
  endpoints: Endpoints,
  options: EtcdOptions,
  key: string,
  fromRevision: bigint,
  signal: AbortSignal,
): Promise<Entry | undefined> => {
  const { client, endpoint } = endpoints.shared();
  try {
    const range = { key: Buffer.from(key) };
    for await (const { events } of watchRange({ client, endpoints, options }, range, fromRevision, signal))
      for (const event of events) if (event.kind === 'put') return event.entry;
    return undefined;
  } catch (error) {
    throw castError(error, `watch ${key} at ${endpoint}`);
  }
};

interface Way {
  readonly client: Etcd3;
  readonly endpoints: Endpoints;
  readonly options: EtcdOptions;
}

/** Ends quietly when `signal` aborts. */
async function* watchRange(
  { client, endpoints, options }: Way,
  range: Range,
  fromRevision: bigint,
  signal: AbortSignal,
): AsyncGenerator<WatchBatch, void, undefined> {
  if (signal.aborted) return;
  let stream: WatchStream | undefined;
  const off = onAbort(signal, () => stream?.cancel('aborted'));
  try {
    const call = await withDeadline(client.watchClient.watch(), endpoints.timeoutMs, 'open a watch');
    stream = new WatchStream(call, { ...defaultTiming, ...options.timing });
    if (signal.aborted) return;
    await stream.create(createRequest(range, fromRevision), endpoints.timeoutMs);
    yield { events: [], revision: fromRevision - 1n };
    const fragments = new Fragments(fromRevision - 1n);
    while (!signal.aborted) {
      const batch = read(fragments, await stream.next());
      if (batch) yield batch;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    off();
    stream?.cancel('closed');
  }
}

/** Without an end it is one key. */
interface Range {
  readonly key: Buffer;
  readonly range_end?: Buffer;
}

const createRequest = (range: Range, fromRevision: bigint) => ({
  ...range,
  start_revision: fromRevision.toString(),
  progress_notify: true,
  fragment: true,
});

/**
 * Only an empty response that etcd sends to this very watch tells of progress. The answer to a progress request is
 * nothing but a sign of life: before 3.4.25 and 3.5.8 it overtakes events that are still on their way.
 */
const read = (fragments: Fragments, response: IWatchResponse): WatchBatch | undefined => {
  if (response.events.length > 0 || response.fragment) return fragments.add(response);
  return response.watch_id === allWatches ? undefined : fragments.progress(BigInt(response.header.revision));
};

/** What is needed of etcd3's stream: a gRPC call is a Node stream, which its types do not say. */
type WatchCall = Duplex & { cancel(): void };

/**
 * One watch RPC as a sequence of responses, each asked for with `next`, so that a slow consumer slows etcd down and not
 * this process's memory. Silence is never trusted: see `next`.
 */
class WatchStream {
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

/**
 * Puts fragmented watch responses together. etcd cuts a large response anywhere, also between two events of one
 * revision; a revision is handed on only when all of it is here. What is complete does not wait for the rest, so that a
 * large backlog is never held as a whole.
 */
export class Fragments {
  #held: WatchEvent[] = [];
  #delivered: bigint;

  /** `delivered`: the revision before the first one that is still needed. */
  constructor(delivered: bigint) {
    this.#delivered = delivered;
  }

  /** The complete part of what has arrived; undefined when this response completed nothing. */
  add(response: IWatchResponse): WatchBatch | undefined {
    const events = [...this.#held, ...response.events.map(toWatchEvent)].filter(
      (event) => revisionOf(event) > this.#delivered,
    );
    const open = response.fragment ? lastRevision(events) : undefined;
    const complete = events.filter((event) => revisionOf(event) !== open);
    this.#held = events.slice(complete.length);
    const revision = lastRevision(complete);
    if (revision === undefined) return undefined;
    this.#delivered = revision;
    return { events: complete, revision };
  }

  /** A response without events: everything up to the header's revision has been delivered. */
  progress(revision: bigint): WatchBatch | undefined {
    if (this.#held.length > 0 || revision <= this.#delivered) return undefined;
    this.#delivered = revision;
    return { events: [], revision };
  }
}

const revisionOf = (event: WatchEvent): bigint => (event.kind === 'put' ? event.entry.modRevision : event.modRevision);

const lastRevision = (events: readonly WatchEvent[]): bigint | undefined => {
  const last = events.at(-1);
  return last && revisionOf(last);
};

const toWatchEvent = ({ type, kv }: IEvent): WatchEvent =>
  type === 'Delete'
    ? { kind: 'delete', key: kv.key.toString('utf8'), modRevision: BigInt(kv.mod_revision) }
    : { kind: 'put', entry: toEntry(kv) };
