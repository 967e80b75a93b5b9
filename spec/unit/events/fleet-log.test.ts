import { afterEach, expect, it } from 'vitest';
import { TriggerdError } from '../../../src/domain/errors.ts';
import { owedOutcome, skippedOutcome } from '../../../src/domain/outcome.ts';
import type { Event } from '../../../src/events/event.ts';
import { FleetLog } from '../../../src/events/fleet-log.ts';
import { publishFiring } from '../../../src/firings/publish/publish.ts';
import { serializeOutcome } from '../../../src/firings/wire/outcome.ts';
import { serializePresence } from '../../../src/fleet/wire.ts';
import { silentLog } from '../../../src/kit/log.ts';
import { keysBelow } from '../../../src/store/keys.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { until } from '../../support/wait.ts';
import { someFiring } from '../../support/watch-room.ts';

const keys = keysBelow('/trigger');
const node = 'lb01.example.com';
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const fleet = (store = new MemoryStore()) => {
  const log = new FleetLog({ store, keys, node: 'here', clock: { now: () => 50_000 }, log: silentLog });
  const put = (key: string, value: string) => store.commit({ compare: [], write: [{ put: key, value }] });
  const skip = (id: string) =>
    put(keys.outcome(id, node), serializeOutcome(skippedOutcome(id, node, 'expired', 1_000)));
  const fire = async (trigger: string) => {
    const firing = someFiring({ trigger });
    await publishFiring({ store, keys }, firing);
    return firing.id;
  };
  const follow = (cursor: string) => {
    const heard: Event[] = [];
    const end = new AbortController();
    const done = (async () => {
      for await (const event of log.follow(cursor, () => true, end.signal)) heard.push(event);
    })();
    const stop = async () => {
      end.abort();
      await done;
    };
    stops.push(stop);
    return { heard, stop };
  };
  return { store, log, put, skip, fire, follow };
};
const start = async ({ log }: ReturnType<typeof fleet>) => (await log.past({ limit: 0, since: 0 }, () => true)).cursor;
const short = ({ kind, trigger, node }: Event) => [kind, trigger ?? node];

it('the fleet’s events have firings, outcomes with their triggers, and nodes that appear and leave; of a presence only its beginning', async () => {
  const all = fleet();
  const before = await all.fire('before');
  const { heard } = all.follow(await start(all));
  const presence = serializePresence({ node, version: '1.2.3', instance: 'i1', roles: [], startedAt: 0, queues: {} });
  await all.fire('refresh');
  await all.skip(before);
  for (let time = 0; time < 3; time += 1) await all.put(keys.node(node), presence);
  await all.put(keys.election('sweeper'), JSON.stringify({ format: 1, node }));
  await all.put(keys.outcome(before, 'bad'), 'no outcome');
  await until(() => heard.length === 4, 'four events');
  await all.store.commit({ compare: [], write: [{ delete: keys.node(node) }, { delete: keys.firing(before) }] });
  await until(() => heard.length === 5, 'five events');
  expect(heard.map(short)).toEqual([
    ['firing.published', 'refresh'],
    ['outcome.skipped', 'before'],
    ['node.present', node],
    ['sweeper.elected', node],
    ['node.away', node],
  ]);
});

it('the fleet’s events continue after any event, also in the middle of a revision', async () => {
  const all = fleet();
  const cursor = await start(all);
  const [one, two] = [someFiring({ trigger: 'one' }).id, someFiring({ trigger: 'two' }).id];
  const outcome = (id: string) => ({
    put: keys.outcome(id, node),
    value: serializeOutcome({ ...owedOutcome(id, node), stage: 'queued', queuedAt: 1 }),
  });
  await all.store.commit({ compare: [], write: [outcome(one), outcome(two)] });
  await all.skip(one);
  const first = all.follow(cursor);
  await until(() => first.heard.length === 3, 'three events');
  await first.stop();
  for (const [index, { id }] of first.heard.entries()) {
    const again = all.follow(id);
    await all.store.get('/');
    await all.fire('last');
    await until(() => again.heard.at(-1)?.['trigger'] === 'last', 'the last one');
    expect(again.heard.slice(0, 2 - index)).toEqual(first.heard.slice(index + 1));
    await again.stop();
  }
});

it('the fleet’s events say what may be missing when etcd has forgotten it, and tell what still exists', async () => {
  const all = fleet();
  const cursor = await start(all);
  const old = await all.fire('forgotten');
  await all.skip(old);
  all.store.compact();
  const { heard } = all.follow(cursor);
  await until(() => heard.some(({ kind }) => kind === 'follow.gap'), 'the gap');
  await all.fire('after');
  await until(() => heard.some(({ trigger }) => trigger === 'after'), 'what comes after');
  expect(heard.filter(({ kind }) => kind !== 'etcd.back').map(short)).toEqual([
    ['firing.published', 'forgotten'],
    ['outcome.skipped', 'forgotten'],
    ['follow.gap', 'here'],
    ['firing.published', 'after'],
  ]);
});

it('the fleet’s events say when etcd is away and when it is back, and miss nothing of the time between', async () => {
  const all = fleet();
  const { heard } = all.follow(await start(all));
  await all.fire('one');
  await until(() => heard.length === 1, 'the first');
  all.store.fail(new TriggerdError('etcd-unreachable', 'refused'));
  await until(() => heard.length === 2, 'the outage');
  all.store.outage = undefined;
  await all.fire('two');
  await until(() => heard.length === 4, 'the rest');
  expect(heard.map(short)).toEqual([
    ['firing.published', 'one'],
    ['etcd.lost', 'here'],
    ['etcd.back', 'here'],
    ['firing.published', 'two'],
  ]);
});

it('the fleet’s events begin again with a replaced etcd', async () => {
  const all = fleet();
  await all.fire('other');
  const { heard } = all.follow('4000.2');
  await until(() => heard.length === 1, 'the firing');
  expect(heard.map(short)).toEqual([['firing.published', 'other']]);
});

it('the fleet’s past has no more firings than have so many targets together', async () => {
  const all = fleet();
  const hosts = Array.from({ length: 6_000 }, (_, index) => `node${index}`);
  const publish = (trigger: string, targets: readonly string[]) =>
    publishFiring({ store: all.store, keys }, someFiring({ trigger, targets }));
  for (const trigger of ['first', 'second', 'third']) await publish(trigger, trigger === 'third' ? [node] : hosts);
  const { events } = await all.log.past({ limit: 10, since: 0 }, () => true);
  expect(events.map(({ trigger, targets }) => [trigger, targets])).toEqual([
    ['second', 6_000],
    ['third', 1],
  ]);
});

it('the fleet’s past has every stage that a target’s last outcome reports', async () => {
  const all = fleet();
  const id = await all.fire('refresh');
  const times = { queuedAt: 1_000, startedAt: 2_000, finishedAt: 3_000 };
  const outcome = { ...owedOutcome(id, node), stage: 'finished', result: 'succeeded', exitCode: 2, ...times } as const;
  await all.put(keys.outcome(id, node), serializeOutcome(outcome));
  const { events } = await all.log.past({ limit: 10, since: 0 }, ({ kind }) => kind !== 'firing.published');
  expect(events.map(({ kind, at, result }) => [kind, Date.parse(at), result])).toEqual([
    ['outcome.queued', 1_000, null],
    ['outcome.running', 2_000, null],
    ['outcome.finished', 3_000, 'succeeded'],
  ]);
  expect(
    (await all.log.past({ limit: 2, since: 2_500 }, ({ kind }) => kind !== 'firing.published')).events,
  ).toHaveLength(1);
});
