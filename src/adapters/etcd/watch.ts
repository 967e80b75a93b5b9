import type { IWatchResponse } from 'etcd3';
import type { WatchBatch } from '../../watch/ports.ts';
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
  let stream: WatchStream | undefined;
  const onAbort = () => stream?.cancel('aborted');
  signal.addEventListener('abort', onAbort);
  try {
    const call = await withDeadline(client.watchClient.watch(), endpoints.timeoutMs, 'open a watch');
    stream = new WatchStream(call, { ...defaultTiming, ...options.timing });
    if (signal.aborted) return;
    await stream.create(createRequest(prefix, fromRevision), endpoints.timeoutMs);
    yield { events: [], revision: fromRevision - 1n };
    const fragments = new Fragments(fromRevision - 1n);
    while (!signal.aborted) {
      const batch = read(fragments, await stream.next());
      if (batch) yield batch;
    }
  } catch (error) {
    if (signal.aborted) return;
    endpoints.failed(endpoint);
    throw castError(error, `watch ${prefix} at ${endpoint}`);
  } finally {
    signal.removeEventListener('abort', onAbort);
    stream?.cancel('closed');
    client.close();
  }
}

const createRequest = (prefix: string, fromRevision: bigint) => ({
  ...rangeOf(prefix),
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
