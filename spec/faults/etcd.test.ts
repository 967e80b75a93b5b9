import { readFileSync } from 'node:fs';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '../../src/adapters/etcd/connect.ts';
import { publishFiring } from '../../src/firings/publish/publish.ts';
import { postJob } from '../support/api.ts';
import { pause } from '../support/faults.ts';
import { firing } from '../support/firings.ts';
import { compact, type Fleet, type FleetNode, startFleet } from '../support/fleet.ts';
import { startProxy } from '../support/proxy.ts';
import { announced } from '../support/random.ts';
import { recordingLog } from '../support/recording-log.ts';
import { until } from '../support/wait.ts';

describe('a cluster of three', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet({ nodes: 2, members: 3 });
  });
  afterAll(() => fleet?.remove());
  const node = () => fleet.nodes[0] as FleetNode;

  it('B4: a rolling restart of all three members of etcd under writes loses nothing', async () => {
    const random = announced('B4');
    const writing = { isOver: false };
    const writer = (async () => {
      for (let i = 0; !writing.isOver; i++) await fleet.fire(`b4-${i % 5}`);
    })();
    try {
      for (const member of fleet.etcd) {
        await pause(random.between(50, 400));
        await member.kill();
        await pause(random.between(50, 400));
        await member.start();
      }
    } finally {
      writing.isOver = true;
      await writer;
    }
    expect(await fleet.verdict()).toEqual([]);
  });

  it('B4: without a quorum the local queue continues, a publisher gets an error, and nothing is lost afterwards', async () => {
    const [, second, third] = fleet.etcd;
    await Promise.all([second?.kill(), third?.kill()]);
    const local = await postJob(node().socket, { plugin: 'record', args: { key: 'local' } });
    await until(async () => (await node().trigger('queue', 'wait', String(local.id))).exitCode === 0, 'the local job');
    const refused = await node().trigger('fire', 'x', '--host', node().name, '--json');
    expect(refused.exitCode).toBe(3);
    fleet.recorder.refused('fire', JSON.parse(refused.stderr || refused.stdout).error.code, refused.stderr);
    const owed = fleet.fire('b4-late');
    await Promise.all([second?.start(), third?.start()]);
    await owed;
    const violations = await fleet.verdict();
    // The local job has no firing, and the refused one may have reached etcd after all: nobody waits for either.
    expect(violations.filter(({ invariant }) => invariant !== 'I2')).toEqual([]);
  });
});

describe('one etcd', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet({ nodes: 1 });
  });
  afterAll(() => fleet?.remove());
  const node = () => fleet.nodes[0] as FleetNode;
  const link = () => node().links[0] as FleetNode['links'][number];

  it('B10: while etcd is frozen every call returns, and local jobs run', async () => {
    fleet.etcd[0]?.freeze();
    const local = await postJob(node().socket, { plugin: 'record', args: { key: 'b10' } });
    expect((await node().trigger('queue', 'wait', String(local.id))).exitCode).toBe(0);
    const asked = await Promise.all([
      node().trigger('fire', 'x', '--host', 'node1', '--plugin', 'record'),
      node().trigger('status'),
      node().trigger('nodes'),
    ]);
    expect(asked.map(({ exitCode }) => exitCode)).toEqual([3, 3, 3]);
    const late = fleet.fire('b10');
    fleet.etcd[0]?.thaw();
    await late;
    await fleet.settled();
  });

  it('B8: a publication whose answer was lost is one firing, however often it is repeated', async () => {
    const proxy = await startProxy(fleet.etcd[0]?.ports.client ?? 0);
    const options = { requestTimeoutMs: 1_000, log: recordingLog() };
    const store = connect({ endpoints: [`http://127.0.0.1:${proxy.port}`], ...options });
    const place = { store, keys: fleet.keyspace.keys };
    const isDone = (work: Promise<unknown>) =>
      work.then(
        () => true,
        () => false,
      );
    await until(() => isDone(store.get('/warm')), 'a connection');
    proxy.drop('to-client');
    const once = firing({
      targets: ['node1'],
      job: { plugin: 'record', args: { key: 'b8' } },
    });
    await expect(publishFiring(place, once)).rejects.toMatchObject({ code: 'etcd-unreachable' });
    await until(() => fleet.keyspace.store.get(place.keys.firing(once.id)), 'the firing in etcd');
    await fleet.settled();
    proxy.drop('nothing');
    proxy.cut();
    await until(() => isDone(publishFiring(place, once)), 'an answer');
    await fleet.settled();
    const runs = fleet.recorder.executions().filter(({ firings }) => firings.includes(once.id));
    expect(runs).toHaveLength(1);
    await store.close();
    await proxy.close();
  });

  it('B8: an outcome whose answer was lost is recorded once, and its job runs once', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      ids.push(await fleet.fire(`b8-${i}`, { ms: 100 }));
      await pause(50 + 20 * i);
      link().drop('to-client');
      await pause(150);
      link().drop('nothing');
      link().cut();
    }
    await fleet.settled();
    for (const id of ids)
      expect(fleet.recorder.executions().filter(({ firings }) => firings.includes(id))).toHaveLength(1);
  });

  it('B3: compactions at random moments, during an absence and during catching up, lose nothing', async () => {
    const random = announced('B3');
    const earlier = node().log().length;
    for (let round = 0; round < 5; round++) {
      link().refuse();
      link().cut();
      await Promise.all(Array.from({ length: 10 }, (_, i) => fleet.fire(`b3-${i % 3}`)));
      const { revision } = await fleet.keyspace.store.list(fleet.keyspace.keys.nodes);
      link().accept();
      await pause(random.between(0, 300));
      await compact(fleet.etcd[0] as Fleet['etcd'][number], revision);
    }
    await fleet.settled();
    expect(
      node()
        .log()
        .slice(earlier)
        .filter(({ level }) => level >= 50),
    ).toEqual([]);
  });

  it('B13: a stream of other keys below the prefix and beside it costs no firing, and little memory', async () => {
    const { store } = fleet.keyspace;
    const before = residentMiB(node().pid());
    for (let i = 0; i < 60; i++) {
      const write = Array.from({ length: 100 }, (_, k) => ({
        put: `${k % 2 ? '/trigger/v1/inbox/other' : '/elsewhere'}/${i}-${k}`,
        value: 'x'.repeat(200),
      }));
      await store.commit({ compare: [], write });
      if (i % 20 === 0) await fleet.fire(`b13-${i}`);
    }
    await store.commit({
      compare: [],
      write: [{ deletePrefix: '/trigger/v1/inbox/other/' }, { deletePrefix: '/elsewhere/' }],
    });
    await fleet.settled();
    expect(residentMiB(node().pid())).toBeLessThan(before + 80);
  });

  it('B14: the next firing runs, whatever somebody writes below the prefix by hand', async () => {
    const { store, keys } = fleet.keyspace;
    const inbox = keys.inboxes('node1');
    const nonsense = [
      '',
      '{',
      'null',
      '[]',
      '{"format":99}',
      '{"format":1,"firing":"x"}',
      'ä'.repeat(1000),
      '[['.repeat(5000),
    ];
    const write = nonsense.flatMap((value, i) => [
      { put: `${inbox}nonsense-${i}`, value },
      { put: `${inbox}01K9ZQ4T5M8W3V6X7Y8ZC0000${i}`, value },
      { put: keys.firing(`01K9ZQ4T5M8W3V6X7Y8ZC0000${i}`), value },
      { put: `${keys.nodes}${i}/../x`, value },
    ]);
    await store.commit({ compare: [], write });
    const id = await fleet.fire('b14');
    await until(
      async () => (await store.get(keys.outcome(id, 'node1')))?.value.includes('finished'),
      'the next firing',
    );
    expect((await node().trigger('queue')).exitCode).toBe(0);
    const { entries } = await store.list(inbox);
    await store.commit({ compare: [], write: entries.map(({ key }) => ({ delete: key })) });
  });
});

it('B9: when etcd is full publishers get an error and owed jobs run, and everything continues when there is space', async () => {
  const fleet = await startFleet({ etcdArgs: ['--quota-backend-bytes', String(2 * 1024 * 1024)] });
  onTestFinished(() => fleet.remove());
  const { store } = fleet.keyspace;
  const running = fleet.fire('b9-running', { ms: 1_000 });
  await running;
  const write = [{ put: '/fill', value: 'x'.repeat(500_000) }];
  await until(
    () =>
      store.commit({ compare: [], write }).then(
        () => false,
        (error: { code?: string }) => error.code === 'etcd-no-space',
      ),
    'etcd to be full',
  );
  const refused = await fleet.nodes[0]?.trigger('fire', 'x', '--host', 'node1', '--plugin', 'record', '--json');
  expect(refused?.stderr).toContain('etcd-no-space');
  await until(() => fleet.recorder.executions().every(({ endLine }) => endLine !== null), 'the end of the run');

  const patient = ['--command-timeout=60s', '--dial-timeout=60s', '--endpoints', fleet.etcd[0]?.endpoint ?? ''];
  const etcdctl = (...args: string[]) => execa('etcdctl', [...patient, ...args]);
  await store.commit({ compare: [], write: [{ delete: '/fill' }] });
  await compact(fleet.etcd[0] as Fleet['etcd'][number], (await store.list('/fill')).revision);
  await etcdctl('defrag');
  await etcdctl('alarm', 'disarm');
  await fleet.fire('b9-after');
  expect(fleet.recorder.submissions.at(-1)?.ackedAt).not.toBeNull();
  expect((await fleet.verdict()).filter(({ invariant }) => invariant !== 'I2')).toEqual([]);
});

const residentMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
