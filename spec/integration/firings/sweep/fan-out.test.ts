import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { EtcdStore } from '../../../../src/adapters/etcd/connect.ts';
import type { Firing } from '../../../../src/domain/firing.ts';
import { InboxWatcher } from '../../../../src/firings/inbox/inbox-watcher.ts';
import { publishFiring } from '../../../../src/firings/publish/publish.ts';
import { Round } from '../../../../src/firings/sweep/round.ts';
import { Election } from '../../../../src/store/election.ts';
import { type Keys, keysBelow } from '../../../../src/store/keys.ts';
import { root } from '../../../support/node.ts';
import { announced } from '../../../support/random.ts';
import { recordingLog } from '../../../support/recording-log.ts';
import { roundOptions } from '../../../support/sweeping.ts';
import { type EtcdPlace, test } from '../../../support/test.ts';
import { until } from '../../../support/wait.ts';
import { MemoryFirings, someFiring, someRequest } from '../../../support/watch-room.ts';

const manyTargets = (count: number) => Array.from({ length: count }, (_, index) => `node${index}.example.com`);

/** Publishes the firing of its first argument, from the built program; says when it begins. */
const publisher = `
  import { connect } from '${join(root, 'dist/adapters/etcd/connect.js')}';
  import { keysBelow } from '${join(root, 'dist/store/keys.js')}';
  import { publishFiring } from '${join(root, 'dist/firings/publish/publish.js')}';
  const [firing, endpoint, prefix] = JSON.parse(process.argv[1]);
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const store = connect({ endpoints: [endpoint], requestTimeoutMs: 60_000, log });
  await store.get('/warm');
  console.log('begin');
  await publishFiring({ store, keys: keysBelow(prefix) }, firing);
  console.log('done');
  await store.close();
`;

describe('fan-out on a real etcd', () => {
  let etcd: EtcdPlace;
  let store: EtcdStore;
  let keys: Keys;
  let prefix: string;
  let run = 0;

  test.beforeAll(async ({ etcd: place, store: shared }) => {
    etcd = place;
    store = shared;
  });
  beforeEach(() => {
    prefix = `${etcd.prefix}/run${++run}`;
    keys = keysBelow(prefix);
  });

  it('a firing for 10,000 targets is published as a whole', async () => {
    const firing = someFiring({ targets: manyTargets(10_000) });
    const begun = performance.now();
    await publishFiring({ store, keys }, firing);
    const tookMs = Math.round(performance.now() - begun);
    console.log(`10,000 targets: ${tookMs} ms`);
    expect(await store.count(keys.allInboxes)).toBe(10_000);
    expect(await store.count(keys.publications)).toBe(0);
  });

  const begin = async (firing: Firing): Promise<ChildProcess> => {
    const facts = JSON.stringify([firing, etcd.endpoint, prefix]);
    const child = spawn(process.execPath, ['--input-type=module', '-e', publisher, facts], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout ?? child, 'data');
    return child;
  };

  /** Takes everything that the node is owed, into memory. */
  const watch = (node: string): { taken: MemoryFirings; watcher: InboxWatcher } => {
    const taken = new MemoryFirings();
    const outcomes = { publish: () => undefined, publishAgain: () => undefined, entryGone: () => undefined };
    const parts = { store, keys, node, firings: taken, intake: taken, outcomes, clock: Date, log: recordingLog() };
    const watcher = new InboxWatcher({ ...parts, decideJob: () => ({ request: someRequest }) });
    watcher.start();
    return { taken, watcher };
  };

  const random = announced('a publisher that dies half-way');
  const delays = Array.from({ length: 6 }, () => random.between(0, 250));

  it.each(delays)(
    `a firing is published as a whole or not at all when its publisher is killed after %i ms (seed ${random.seed})`,
    async (delayMs) => {
      const firing = someFiring({ targets: manyTargets(3_000) });
      const nodes = ['node0.example.com', 'node2999.example.com'].map(watch);
      const child = await begin(firing);
      const killAt = performance.now() + delayMs;
      await until(() => performance.now() > killAt || child.exitCode !== null, 'the moment');
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');

      // What it had sent may still be on its way.
      const held = await until(() => store.holdKey(keys.election('sweeper'), '{}'), 'the election');
      const election = new Election(store, held);
      const round = new Round({ ...roundOptions(store, election, { abandonedMs: 150 }), keys });
      const isSwept = async () => (await store.count(keys.publications)) === 0;
      await until(async () => (await round.make()) && (await isSwept()), 'the marker to go');
      const isCommitted = (await store.get(keys.firing(firing.id))) !== undefined;
      if (isCommitted) {
        expect(await store.count(keys.allInboxes)).toBe(3_000);
        await until(() => nodes.every(({ taken }) => taken.taken.length === 1), 'the nodes to take it');
      } else {
        await until(
          async () => (await round.make()) && (await store.count(keys.allInboxes)) === 0,
          'the entries to go',
        );
        expect(nodes.map(({ taken }) => taken.taken)).toEqual([[], []]);
      }
      await Promise.all(nodes.map(({ watcher }) => watcher.stop()));
      await held.release();
    },
  );
});
