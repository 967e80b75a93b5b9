import type { Etcd3, IWatchResponse } from 'etcd3';
import { onAbort } from '../../kit/on-abort.ts';
import type { Entry, WatchBatch } from '../../store/key-store.ts';
import { castError } from './cast-error.ts';
import { withDeadline } from './deadline.ts';
import type { Endpoints } from './endpoints.ts';
import { Fragments } from './fragments.ts';
import { defaultTiming, type EtcdOptions } from './options.ts';
import { rangeOf } from './ranges.ts';
import { WatchStream } from './watch-stream.ts';

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
