/** A process that publishes and does nothing else, so that its memory is that of a publisher. One firing per message. */
import { ulid } from 'ulid';
import { firing } from '../../spec/support/firings.ts';
import { connect } from '../../src/adapters/etcd/connect.ts';
import { publishFiring } from '../../src/firings/publish/publish.ts';
import { keysBelow } from '../../src/store/keys.ts';
import { nodeNames, nowMs, type Range, silent } from './fan-out-parts.ts';

export interface PublisherOrder {
  readonly endpoint: string;
  readonly prefix: string;
  readonly range: Range;
}

export interface PublisherReport {
  readonly firing: string;
  /** ms of this machine's monotonic clock. */
  readonly begunAt: number;
  readonly publishedAt: number;
  /** Bytes, at most so far. */
  readonly memory: number;
}

const { endpoint, prefix, range } = JSON.parse(process.argv[2] ?? '') as PublisherOrder;
const place = { store: connect({ endpoints: [endpoint], log: silent }), keys: keysBelow(prefix) };

process.on('message', async () => {
  const published = firing({ id: ulid(), targets: nodeNames(range) });
  const begunAt = nowMs();
  await publishFiring(place, published);
  const memory = process.resourceUsage().maxRSS * 1024;
  process.send?.({ firing: published.id, begunAt, publishedAt: nowMs(), memory } satisfies PublisherReport);
});
process.once('disconnect', () => process.exit());
// Connected before it is asked for anything.
await place.store.get(place.keys.firings);
process.send?.('ready');
