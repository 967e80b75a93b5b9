/**
 * Many nodes in one process: each has a real inbox watcher with a watch of its own in etcd. Not real are: their
 * connections (a hundred nodes share two), their journals (all nodes of a process write to one, each firing under an id
 * of its own, so that it is a commit per node as on a real one), and what comes after the journal (no job starts).
 *
 * Started by `fan-out.ts` with a `NodesOrder` as its argument. Says `ready`, then for each firing when its nodes have journalled it.
 */
import type { Etcd3 } from 'etcd3';
import { jobRequest } from '../../spec/support/jobs.ts';
import type { EtcdOptions } from '../../src/adapters/etcd/client.ts';
import { connect } from '../../src/adapters/etcd/connect.ts';
import { Endpoints } from '../../src/adapters/etcd/endpoints.ts';
import { watchPrefix } from '../../src/adapters/etcd/watch.ts';
import { openJournal } from '../../src/adapters/sqlite/open-journal.ts';
import { InboxWatcher } from '../../src/firings/inbox/inbox-watcher.ts';
import { chunksOf } from '../../src/kit/in-windows.ts';
import type { Acceptance, DecidedFiring, Journal } from '../../src/queue/ports/journal.ts';
import type { KeyStore } from '../../src/store/key-store.ts';
import { keysBelow } from '../../src/store/keys.ts';
import { nodeNames, nowMs, type Range, silent } from './fan-out-parts.ts';

export interface NodesOrder {
  readonly endpoint: string;
  readonly prefix: string;
  readonly range: Range;
  /** A folder for the journal. */
  readonly dir: string;
}

/** When each of the nodes had journalled the firing: ms of this machine's monotonic clock. */
export interface NodesReport {
  readonly firing: string;
  readonly journalledAt: readonly number[];
  /** CPU time of this process since its last report, in ms. */
  readonly cpu: number;
}

const nodesPerConnection = 100;
let cpuBefore = process.cpuUsage();
const takeCpuMs = (): number => {
  const { user, system } = process.cpuUsage(cpuBefore);
  cpuBefore = process.cpuUsage();
  return (user + system) / 1_000;
};

let ids = 0;
const nextId = (): string => String(++ids).padStart(26, '0');
const request = jobRequest({ plugin: 'puppet', source: 'firing' });

class SharedEndpoints extends Endpoints {
  override dedicated(): { readonly client: Etcd3; readonly endpoint: string } {
    const { client, endpoint } = this.shared();
    return { client: { watchClient: client.watchClient, close: () => undefined } as unknown as Etcd3, endpoint };
  }
}

const storeOfMany = (options: EtcdOptions): KeyStore => {
  const store = connect(options);
  const endpoints = new SharedEndpoints(options);
  store.watch = (prefix, from, signal) => watchPrefix(endpoints, options, prefix, from, signal);
  return store;
};

const journalledAt = new Map<string, number[]>();

const main = async ({ endpoint, prefix, range, dir }: NodesOrder): Promise<void> => {
  const nodes = nodeNames(range);
  const { journal } = openJournal({ file: `${dir}/journal.db`, jobsDir: `${dir}/jobs` });
  const report = (firing: string): void => {
    const times = journalledAt.get(firing) ?? [];
    journalledAt.set(firing, times);
    times.push(nowMs());
    if (times.length === nodes.length)
      process.send?.({ firing, journalledAt: times, cpu: takeCpuMs() } satisfies NodesReport);
  };
  for (const group of chunksOf(nodes, nodesPerConnection)) {
    const store = storeOfMany({ endpoints: [endpoint], log: silent });
    const watchers = group.map((node) => watcherOf(node, prefix, store, journal, report));
    for (const watcher of watchers) watcher.start();
    await Promise.all(watchers.map(({ ready }) => ready));
    if (watchers.some(({ state }) => !state.connected)) throw new Error('a node is not connected');
  }
  takeCpuMs();
  process.send?.('ready');
};

const watcherOf = (
  node: string,
  prefix: string,
  store: KeyStore,
  journal: Journal,
  report: (firing: string) => void,
): InboxWatcher => {
  const known = new Set<string>();
  const take = (firings: readonly DecidedFiring[]): Acceptance[] => {
    const acceptances = journal.take(firings.map((each) => ({ ...each, firing: { ...each.firing, id: nextId() } })));
    for (const { firing } of firings) {
      known.add(firing.id);
      report(firing.id);
    }
    return acceptances;
  };
  const logged = { receivedAt: 0, jobId: null, refusal: null, published: null };
  return new InboxWatcher({
    store,
    keys: keysBelow(prefix),
    node,
    firings: {
      find: (id) => (known.has(id) ? { ...logged, firing: { id } as never } : undefined),
      unsettledIds: () => [],
      cursor: () => undefined,
      saveCursor: () => undefined,
    },
    intake: { take, jobFor: (asked) => ({ request: asked, command: '', coalescingKey: null, at: Date.now() }) },
    decideJob: () => ({ request }),
    outcomes: { publish: () => undefined, publishAgain: () => undefined, entryGone: () => undefined },
    clock: Date,
    log: silent,
  });
};

// tsx maps every stack trace back to its source, and a stream that is cancelled has one: the built product does not.
process.setSourceMapsEnabled(false);
process.once('disconnect', () => process.exit());
await main(JSON.parse(process.argv[2] ?? '') as NodesOrder);
