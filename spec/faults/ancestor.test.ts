/**
 * The defects of the ancestor (puppet-trigger 0.1.x, after its README and its documentation), each shown on a small
 * emulation of its way, and each beside ours. Its way: `etcdctl set --ttl` per host on etcd's v2 API, and on the target
 * a shell loop of `etcdctl watch` and task-spooler.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/adapters/etcd/connect.ts';
import type { FiringView } from '../../src/api/contract.ts';
import { publishFiring } from '../../src/watch/publish.ts';
import { postFiring, postJob } from '../support/api.ts';
import { pause } from '../support/faults.ts';
import { firing } from '../support/firings.ts';
import { type Fleet, type FleetNode, startFleet } from '../support/fleet.ts';
import { startProxy } from '../support/proxy.ts';
import { recordingLog } from '../support/recording-log.ts';
import { until } from '../support/wait.ts';

let fleet: Fleet;
let theirs: string;
beforeAll(async () => {
  fleet = await startFleet({ etcdArgs: ['--enable-v2'] });
  theirs = mkdtempSync(join(tmpdir(), 'triggerd-ancestor-'));
});
afterAll(async () => {
  for (const loop of loops) stopLoop(loop);
  await execa('tsp', ['-K'], { env: queueOf(theirs), reject: false });
  await fleet?.remove();
  rmSync(theirs, { recursive: true, force: true });
});
const node = () => fleet.nodes[0] as FleetNode;

const queueOf = (folder: string) => ({ TS_SOCKET: join(folder, 'tsp'), TMPDIR: folder });
const etcdctl = (...args: string[]) =>
  execa('etcdctl', ['--endpoints', fleet.etcd[0]?.endpoint ?? '', ...args], {
    env: { ETCDCTL_API: '2' },
    reject: false,
  });
/** A refresh. */
const set = (host: string, value: string, ttl = 180) =>
  etcdctl('set', '--ttl', String(ttl), `/events/hosts/${host}`, value);

const loops: ChildProcess[] = [];
/** The target's loop; a run appends a line to `<host>.runs`. `spawns` counts the watches that it has started. */
const startLoop = (host: string, run = 'true', endpoint = fleet.etcd[0]?.endpoint): ChildProcess => {
  const body = `while :; do
    echo x >> ${theirs}/${host}.watches
    etcdctl --endpoints ${endpoint} watch /events/hosts/${host} >/dev/null 2>&1 &&
      tsp sh -c 'echo start >> ${theirs}/${host}.runs; ${run}' >/dev/null
  done`;
  const loop = spawn('sh', ['-c', body], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, ETCDCTL_API: '2', ...queueOf(theirs) },
  });
  loops.push(loop);
  return loop;
};
const stopLoop = ({ pid }: ChildProcess): void => {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
};
const linesOf = (name: string): number =>
  existsSync(join(theirs, name)) ? readFileSync(join(theirs, name), 'utf8').trim().split('\n').length : 0;
const runsOf = (ids: readonly string[]) =>
  fleet.recorder.executions().filter(({ firings }) => firings.some((id) => ids.includes(id)));
const watching = (host: string) => until(() => linesOf(`${host}.watches`) > 0, 'their watch').then(() => pause(300));

describe('what the ancestor loses', () => {
  it('events between two watches', async () => {
    const loop = startLoop('gap');
    await watching('gap');
    const key = `${fleet.etcd[0]?.endpoint}/v2/keys/events/hosts/gap`;
    const form = (i: number) => new URLSearchParams({ value: String(i) });
    await Promise.all(Array.from({ length: 10 }, (_, i) => fetch(key, { method: 'PUT', body: form(i) })));
    await pause(700);
    stopLoop(loop);
    // One run per event is its rule; what falls between two watches has none.
    expect(linesOf('gap.runs')).toBeLessThan(10);

    const ids: string[] = [];
    for (let i = 0; i < 10; i++) ids.push(await fleet.fire(`gap-${i}`));
    await fleet.settled();
    expect(runsOf(ids)).toHaveLength(10);
  });

  it('events while nobody watches', async () => {
    await set('away', '1');
    const loop = startLoop('away');
    await watching('away');
    stopLoop(loop);
    expect(linesOf('away.runs')).toBe(0);

    await node().stop();
    const id = await fleet.fire('away');
    await node().start();
    await fleet.settled();
    expect(runsOf([id])).toHaveLength(1);
  });

  it('events that are older than their time to live, without a word', async () => {
    await set('late', '1', 1);
    await pause(1_600);
    expect((await etcdctl('get', '/events/hosts/late')).exitCode).not.toBe(0);

    await node().stop();
    const { store, keys } = fleet.place;
    const expiring = firing({ targets: ['node1'], expiresAt: new Date(Date.now() + 100).toISOString() });
    await publishFiring({ store, keys }, expiring);
    const lasting = await fleet.fire('late');
    await pause(200);
    await node().start();
    await fleet.settled();
    expect(runsOf([lasting])).toHaveLength(1);
    expect((await store.get(keys.outcome(expiring.id, 'node1')))?.value).toMatch(/"skipped".*expired/);
  });

  it('one of two sources: each host has one key', async () => {
    await Promise.all([set('both', 'from web01'), set('both', 'from web02')]);
    const { stdout } = await etcdctl('get', '/events/hosts/both');
    expect(['from web01', 'from web02']).toContain(stdout);

    const ids = await Promise.all([fleet.fire('both'), fleet.fire('both')]);
    await fleet.settled();
    const found = await Promise.all(ids.map((id) => node().json<FiringView>('status', id)));
    expect(found.map(({ outcomes }) => outcomes['node1']?.result)).toEqual(['succeeded', 'succeeded']);
  });

  it('half of the hosts, when the network goes between two keys', async () => {
    const hosts = ['half1', 'half2', 'half3', 'half4'];
    const proxy = await startProxy(fleet.etcd[0]?.ports.client ?? 0);
    const endpoint = `http://127.0.0.1:${proxy.port}`;
    for (const [index, host] of hosts.entries()) {
      if (index === 2) proxy.refuse();
      const args = ['--endpoints', endpoint, 'set', `/events/hosts/${host}`, '1'];
      await execa('etcdctl', args, { env: { ETCDCTL_API: '2' }, reject: false });
    }
    const there = await Promise.all(hosts.map((host) => etcdctl('get', `/events/hosts/${host}`)));
    expect(there.map(({ exitCode }) => exitCode === 0)).toEqual([true, true, false, false]);

    proxy.accept();
    const { keys, store: direct } = fleet.place;
    const store = connect({ endpoints: [endpoint], requestTimeoutMs: 500, log: recordingLog() });
    for (let cutAfterMs = 0; cutAfterMs < 12; cutAfterMs++) {
      const one = firing({ targets: hosts });
      const cut = pause(cutAfterMs).then(() => proxy.cut());
      await publishFiring({ store, keys }, one).catch(() => undefined);
      await cut;
      const owed = await Promise.all(hosts.map((host) => direct.get(keys.inbox(host, one.id))));
      expect([0, 4]).toContain(owed.filter((entry) => entry !== undefined).length);
      const remove = hosts.map((host) => ({ delete: keys.inbox(host, one.id) }));
      await direct.commit({ compare: [], write: remove });
    }
    await store.close();
    await proxy.close();
  });

  it('its queue, with the processes that hold it', async () => {
    const env = queueOf(mkdtempSync(join(theirs, 'queue-')));
    for (let i = 0; i < 3; i++) await execa('tsp', ['sleep', '5'], { env });
    // A reboot: the server and the clients that wait for it.
    const holders = readdirSync('/proc').filter((pid) => isServerOf(pid, env.TS_SOCKET));
    expect(holders.length).toBeGreaterThan(0);
    for (const pid of holders) process.kill(Number(pid), 'SIGKILL');
    await until(async () => !(await execa('tsp', [], { env })).stdout.includes('sleep 5'), 'an empty queue');
    await execa('tsp', ['-K'], { env, reject: false });

    const ids: number[] = [];
    for (let i = 0; i < 3; i++) ids.push((await postJob(node().socket, { plugin: 'record', args: { ms: '300' } })).id);
    await node().crash();
    await node().start();
    for (const id of ids) expect((await node().trigger('queue', 'wait', String(id))).exitCode).toBe(0);
  });

  it('the result: nothing comes back', async () => {
    const loop = startLoop('result', 'exit 7');
    await watching('result');
    await set('result', '1');
    await until(() => linesOf('result.runs') === 1, 'their run');
    stopLoop(loop);
    expect((await etcdctl('ls', '--recursive', '/')).stdout).not.toMatch(/outcome|exit|7/);

    const { id } = await postFiring(node().socket, {
      trigger: 'result',
      hosts: ['node1'],
      plugin: 'record',
      args: { code: '7' },
    });
    await fleet.settled();
    const { outcomes } = await node().json<FiringView>('status', id);
    expect(outcomes['node1']).toMatchObject({ stage: 'finished', result: 'failed', exit_code: 7 });
  });
});

describe('what the ancestor does too much', () => {
  it('a second run when the key expires', async () => {
    const loop = startLoop('expiry');
    await watching('expiry');
    await set('expiry', '1', 1);
    await until(() => linesOf('expiry.runs') === 2, 'two runs of one event');
    stopLoop(loop);

    const { store, keys } = fleet.place;
    const expiresAt = new Date(Date.now() + 1_000).toISOString();
    const once = firing({ targets: ['node1'], job: { plugin: 'record', args: { key: 'expiry' } }, expiresAt });
    await publishFiring({ store, keys }, once);
    await pause(1_600);
    expect(runsOf([once.id])).toHaveLength(1);
  });

  it('a second run for the same id', async () => {
    const loop = startLoop('twice');
    await watching('twice');
    await set('twice', '{"uuid":"1"}');
    await until(() => linesOf('twice.runs') === 1, 'the first run');
    await pause(300);
    await set('twice', '{"uuid":"1"}');
    await until(() => linesOf('twice.runs') === 2, 'the second run of one uuid');
    stopLoop(loop);

    const once = firing({ targets: ['node1'], job: { plugin: 'record', args: { key: 'twice' } } });
    await publishFiring(fleet.place, once);
    await fleet.settled();
    await publishFiring(fleet.place, once);
    // Also when somebody writes the entry anew by hand.
    const { store, keys } = fleet.place;
    const entry = { put: keys.inbox('node1', once.id), value: JSON.stringify({ format: 1, firing: once.id }) };
    await store.commit({ compare: [], write: [entry] });
    await fleet.settled();
    expect(runsOf([once.id])).toHaveLength(1);
  });

  it('a run for each event of a burst', async () => {
    const env = queueOf(mkdtempSync(join(theirs, 'burst-')));
    for (let i = 0; i < 6; i++)
      await execa('tsp', ['sh', '-c', `sleep 0.2; echo start >> ${theirs}/burst.runs`], { env });
    await until(() => linesOf('burst.runs') === 6, 'six runs');
    await execa('tsp', ['-K'], { env, reject: false });

    const ids = [await fleet.fire('burst', { ms: 400 })];
    await until(() => runsOf(ids).length === 1, 'the first run');
    for (let i = 0; i < 5; i++) ids.push(await fleet.fire('burst', { ms: 400 }));
    await fleet.settled();
    expect(runsOf(ids)).toHaveLength(2);
  });

  it('a busy loop while etcd is away', async () => {
    const loop = startLoop('busy', 'true', 'http://127.0.0.1:1');
    await pause(1_000);
    stopLoop(loop);
    expect(linesOf('busy.watches')).toBeGreaterThan(10);

    const [link] = node().links;
    link?.refuse();
    link?.cut();
    const before = processorSeconds(node().pid());
    await pause(2_000);
    expect(processorSeconds(node().pid()) - before).toBeLessThan(0.5);
    link?.accept();
  });
});

describe('what the ancestor can not say', () => {
  it('a trigger with the title “hosts”', async () => {
    await set('any', '1');
    expect((await etcdctl('set', '/events/hosts', '1')).exitCode).not.toBe(0);
    const { exitCode } = await node().trigger('fire', 'hosts', '--host', 'node1', '--plugin', 'record');
    expect(exitCode).toBe(0);
    await fleet.settled();
  });

  it('anything at all to an etcd with its own defaults', async () => {
    const args = ['--endpoints', fleet.etcd[0]?.endpoint ?? '', 'set', '--ttl', '180', '/k', '1'];
    const { exitCode, stderr } = await execa('etcdctl', args, { env: { ETCDCTL_API: '3' }, reject: false });
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/unknown (command|flag)/)]);
  });

  it('and after all that every one of ours has its one outcome', async () => {
    const violations = await fleet.verdict();
    // Those that were published without the recorder are nobody’s to it.
    expect(violations.filter(({ invariant }) => invariant !== 'I2')).toEqual([]);
  });
});

const isServerOf = (pid: string, socket: string): boolean => {
  try {
    const isTsp = readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'tsp';
    return isTsp && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`TS_SOCKET=${socket}`);
  } catch {
    return false;
  }
};

const processorSeconds = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) / 100;
};
