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
import type { JobView } from '../../src/api/contract/jobs.ts';
import { publishFiring } from '../../src/firings/publish/publish.ts';
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
const endpointOf = () => fleet.etcd[0]?.endpoint ?? '';
/** Its own limits, two seconds and five, are too short for a busy machine. */
const patient = ['--timeout', '60s', '--total-timeout', '60s'];
const etcdctl = (...args: string[]) =>
  execa('etcdctl', [...patient, '--endpoints', endpointOf(), ...args], {
    env: { ETCDCTL_API: '2' },
    reject: false,
  });
/** A refresh. */
const set = (host: string, value: string, ttl = 180) =>
  etcdctl('set', '--ttl', String(ttl), `/events/hosts/${host}`, value);

const loops: ChildProcess[] = [];
const isThere = async (host: string): Promise<boolean> =>
  (await fetch(`${endpointOf()}/v2/keys/events/hosts/${host}`)).status === 200;
/** Until etcd has so many watches of theirs: one where a loop waits for its next event, for none runs beside another. */
const watches = (count: 0 | 1) =>
  until(async () => {
    const stats = await fetch(`${endpointOf()}/v2/stats/store`);
    return ((await stats.json()) as { watchers: number }).watchers === count;
  }, `${count} watches`);

/** The target's loop; a run appends a line to `<host>.runs`. `spawns` counts the watches that it has started. */
const startLoop = (host: string, run = 'true', endpoint = endpointOf()): ChildProcess => {
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
/** The same, once it watches. */
const watching = async (host: string, run?: string): Promise<ChildProcess> => {
  await watches(0);
  const loop = startLoop(host, run);
  await watches(1);
  return loop;
};
const stopLoop = ({ pid }: ChildProcess): void => {
  if (pid !== undefined) killed(-pid);
};
const linesOf = (name: string): number =>
  existsSync(join(theirs, name)) ? readFileSync(join(theirs, name), 'utf8').trim().split('\n').length : 0;
const runsOf = (ids: readonly string[]) =>
  fleet.recorder.executions().filter(({ firings }) => firings.some((id) => ids.includes(id)));

describe('what the ancestor loses', () => {
  it('events between two watches are lost by the ancestor, and not by triggerd', async () => {
    const loop = await watching('gap');
    const key = `${endpointOf()}/v2/keys/events/hosts/gap`;
    const form = (i: number) => new URLSearchParams({ value: String(i) });
    await Promise.all(Array.from({ length: 10 }, (_, i) => fetch(key, { method: 'PUT', body: form(i) })));
    await watches(1);
    stopLoop(loop);
    // One run per event is its rule, so one watch and another one after it; what falls between two watches has none.
    expect(linesOf('gap.watches') - 1).toBeLessThan(10);

    const ids: string[] = [];
    for (let i = 0; i < 10; i++) ids.push(await fleet.fire(`gap-${i}`));
    await fleet.settled();
    expect(runsOf(ids)).toHaveLength(10);
  });

  it('events while nobody watches are lost by the ancestor, and not by triggerd', async () => {
    await set('away', '1');
    const loop = await watching('away');
    stopLoop(loop);
    expect(linesOf('away.runs')).toBe(0);

    await node().stop();
    const id = await fleet.fire('away');
    await node().start();
    await fleet.settled();
    expect(runsOf([id])).toHaveLength(1);
  });

  it('events older than their time to live are lost silently by the ancestor, and not by triggerd', async () => {
    await set('late', '1', 1);
    await until(async () => !(await isThere('late')), 'its key to be gone');

    await node().stop();
    const { store, keys } = fleet.keyspace;
    const expiring = firing({ targets: ['node1'], expiresAt: new Date(Date.now() + 100).toISOString() });
    await publishFiring({ store, keys }, expiring);
    const lasting = await fleet.fire('late');
    await pause(200);
    await node().start();
    await fleet.settled();
    expect(runsOf([lasting])).toHaveLength(1);
    expect((await store.get(keys.outcome(expiring.id, 'node1')))?.value).toMatch(/"skipped".*expired/);
  });

  it('one of two sources for a host is lost by the ancestor, which has one key for each host', async () => {
    await Promise.all([set('both', 'from web01'), set('both', 'from web02')]);
    const { stdout } = await etcdctl('get', '/events/hosts/both');
    expect(['from web01', 'from web02']).toContain(stdout);

    const ids = await Promise.all([fleet.fire('both'), fleet.fire('both')]);
    await fleet.settled();
    const found = await Promise.all(ids.map((id) => node().firing(id)));
    expect(found.map(({ outcomes }) => outcomes['node1']?.result)).toEqual(['succeeded', 'succeeded']);
  });

  it('half of the hosts are lost by the ancestor when the network fails between two keys', async () => {
    const hosts = ['half1', 'half2', 'half3', 'half4'];
    const proxy = await startProxy(fleet.etcd[0]?.ports.client ?? 0);
    const endpoint = `http://127.0.0.1:${proxy.port}`;
    for (const [index, host] of hosts.entries()) {
      if (index === 2) proxy.refuse();
      const args = [...patient, '--endpoints', endpoint, 'set', `/events/hosts/${host}`, '1'];
      await execa('etcdctl', args, { env: { ETCDCTL_API: '2' }, reject: false });
    }
    expect(await Promise.all(hosts.map(isThere))).toEqual([true, true, false, false]);

    proxy.accept();
    const { keys, store: direct } = fleet.keyspace;
    const store = connect({ endpoints: [endpoint], requestTimeoutMs: 500, log: recordingLog() });
    for (let cutAfterMs = 0; cutAfterMs < 12; cutAfterMs++) {
      const one = firing({ targets: hosts });
      const cut = pause(cutAfterMs).then(() => proxy.cut());
      await publishFiring({ store, keys }, one).catch(() => undefined);
      await cut;
      // At one moment: etcd may have it in work still.
      const owed = await direct.getMany(hosts.map((host) => keys.inbox(host, one.id)));
      expect([0, 4]).toContain(owed.filter((entry) => entry !== undefined).length);
      // It is there for certain before it is taken away: nothing of it comes later.
      await publishFiring({ store: direct, keys }, one);
      const remove = hosts.map((host) => ({ delete: keys.inbox(host, one.id) }));
      await direct.commit({ compare: [], write: remove });
    }
    await store.close();
    await proxy.close();
  });

  it('the ancestor loses its queue with the processes that hold it', async () => {
    const env = queueOf(mkdtempSync(join(theirs, 'queue-')));
    for (let i = 0; i < 3; i++) await execa('tsp', ['sleep', '5'], { env });
    // A reboot: the server and the clients that wait for it.
    const holders = readdirSync('/proc').filter((pid) => isServerOf(pid, env.TS_SOCKET));
    expect(holders.length).toBeGreaterThan(0);
    for (const pid of holders) killed(Number(pid));
    await until(async () => {
      // A server that is ended may still take the next call, which fails then.
      const { exitCode, stdout } = await execa('tsp', [], { env, reject: false });
      return exitCode === 0 && !stdout.includes('sleep 5');
    }, 'an empty queue');
    await execa('tsp', ['-K'], { env, reject: false });

    const ids: number[] = [];
    for (let i = 0; i < 3; i++) ids.push((await postJob(node().socket, { plugin: 'record', args: { ms: '300' } })).id);
    await node().crash();
    await node().start();
    for (const id of ids) expect((await node().trigger('queue', 'wait', String(id))).exitCode).toBe(0);
  });

  it('the ancestor loses the result, which never returns', async () => {
    const loop = await watching('result', 'exit 7');
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
    const { outcomes } = await node().firing(id);
    expect(outcomes['node1']).toMatchObject({ stage: 'finished', result: 'failed', exit_code: 7 });
  });
});

describe('what the ancestor does too much', () => {
  it('the ancestor runs a second time when its key expires', async () => {
    const loop = await watching('expiry');
    await until(async () => {
      const before = linesOf('expiry.runs');
      await set('expiry', '1', 2);
      await until(() => linesOf('expiry.runs') > before, 'the run of the event');
      await watches(1);
      // On a machine that was too slow for two seconds the expiry may have fallen between two watches: once more.
      if (!(await isThere('expiry'))) return false;
      await until(() => linesOf('expiry.runs') > before + 1, 'the run of its expiry');
      return true;
    }, 'two runs of one event');
    stopLoop(loop);

    const { id, expiresAt } = await ranBeforeItExpires();
    await until(() => Date.now() > expiresAt + 500, 'the expiry');
    expect(runsOf([id])).toHaveLength(1);
  });

  it('the ancestor runs a second time for the same ID', async () => {
    const loop = await watching('twice');
    await set('twice', '{"uuid":"1"}');
    await until(() => linesOf('twice.runs') === 1, 'the first run');
    await watches(1);
    await set('twice', '{"uuid":"1"}');
    await until(() => linesOf('twice.runs') === 2, 'the second run of one uuid');
    stopLoop(loop);

    const once = firing({ targets: ['node1'], job: { plugin: 'record', args: { key: 'twice' } } });
    await publishFiring(fleet.keyspace, once);
    await fleet.settled();
    await publishFiring(fleet.keyspace, once);
    // Also when somebody writes the entry anew by hand.
    const { store, keys } = fleet.keyspace;
    const entry = { put: keys.inbox('node1', once.id), value: JSON.stringify({ format: 1, firing: once.id }) };
    await store.commit({ compare: [], write: [entry] });
    await fleet.settled();
    expect(runsOf([once.id])).toHaveLength(1);
  });

  it('the ancestor runs once for each event of a burst', async () => {
    const env = queueOf(mkdtempSync(join(theirs, 'burst-')));
    for (let i = 0; i < 6; i++)
      await execa('tsp', ['sh', '-c', `sleep 0.2; echo start >> ${theirs}/burst.runs`], { env });
    await until(() => linesOf('burst.runs') === 6, 'six runs');
    await execa('tsp', ['-K'], { env, reject: false });

    const ids = [await fleet.fire('burst', { ms: 400 })];
    await until(() => runsOf(ids).length === 1, 'the first run');
    // So that the burst comes during it also where five firings take longer than the run.
    await node().trigger('queue', 'pause');
    for (let i = 0; i < 5; i++) ids.push(await fleet.fire('burst', { ms: 400 }));
    await until(async () => (await node().jobs()).some(isOfFive), 'one job of five firings');
    await node().trigger('queue', 'resume');
    await fleet.settled();
    expect(runsOf(ids)).toHaveLength(2);
  });

  it('the ancestor loops busily while etcd is away', async () => {
    const loop = startLoop('busy', 'true', 'http://127.0.0.1:1');
    await until(() => linesOf('busy.watches') > 10, 'more than ten tries');
    stopLoop(loop);

    const [link] = node().links;
    link?.refuse();
    link?.cut();
    const before = processorSeconds(node().pid());
    const startedAt = performance.now();
    await pause(2_000);
    const seconds = (performance.now() - startedAt) / 1_000;
    expect((processorSeconds(node().pid()) - before) / seconds).toBeLessThan(0.5);
    link?.accept();
  });
});

describe('what the ancestor cannot say', () => {
  it('the ancestor cannot fire a trigger with the title “hosts”', async () => {
    await set('any', '1');
    expect((await etcdctl('set', '/events/hosts', '1')).exitCode).not.toBe(0);
    const { exitCode } = await node().trigger('fire', 'hosts', '--host', 'node1', '--plugin', 'record');
    expect(exitCode).toBe(0);
    await fleet.settled();
  });

  it('the ancestor cannot use an etcd with its default settings', async () => {
    const args = ['--endpoints', fleet.etcd[0]?.endpoint ?? '', 'set', '--ttl', '180', '/k', '1'];
    const { exitCode, stderr } = await execa('etcdctl', args, { env: { ETCDCTL_API: '3' }, reject: false });
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/unknown (command|flag)/)]);
  });

  it('each of triggerd’s firings has its one outcome after the ancestor’s faults', async () => {
    const violations = await fleet.verdict();
    // Those that were published without the recorder are nobody’s to it.
    expect(violations.filter(({ invariant }) => invariant !== 'I2')).toEqual([]);
  });
});

/** One that runs, and has not expired meanwhile. A machine that is too slow for the time it has gives it more. */
const ranBeforeItExpires = async (ms = 1_000): Promise<{ id: string; expiresAt: number }> => {
  const expiresAt = Date.now() + ms;
  const once = firing({
    targets: ['node1'],
    job: { plugin: 'record', args: { key: 'expiry' } },
    expiresAt: new Date(expiresAt).toISOString(),
  });
  await publishFiring(fleet.keyspace, once);
  await fleet.settled();
  return runsOf([once.id]).length > 0 ? { id: once.id, expiresAt } : ranBeforeItExpires(2 * ms);
};

const isOfFive = ({ state, firings }: JobView): boolean => state === 'queued' && firings.length === 5;

/** A process that may have ended by itself meanwhile. */
const killed = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

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
