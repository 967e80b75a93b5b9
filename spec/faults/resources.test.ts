import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { ErrorView } from '../../src/api/contract/errors.ts';
import type { JobView } from '../../src/api/contract/jobs.ts';
import { postFiring, postJob } from '../support/api.ts';
import {
  badDisk,
  canFakeTime,
  fillDisk,
  inodesUsed,
  jumpingClock,
  limitOpenFiles,
  pause,
  remount,
  skewedClock,
  smallDisk,
} from '../support/faults.ts';
import { type Fleet, type FleetNode, type FleetOptions, startFleet } from '../support/fleet.ts';
import { temporaryFolder } from '../support/journal.ts';
import { openFiles, processesWith, zombiesOf } from '../support/processes.ts';
import { until } from '../support/wait.ts';

let fleet: Fleet;
afterEach(() => fleet?.remove());
const start = async (options: FleetOptions = {}): Promise<FleetNode> => {
  fleet = await startFleet(options);
  return fleet.nodes[0] as FleetNode;
};
const add = async (node: FleetNode, ...args: string[]): Promise<JobView> =>
  JSON.parse((await node.trigger('queue', 'add', '--json', ...args)).stdout) as JobView;
const refusal = async (node: FleetNode, ...args: string[]): Promise<ErrorView> => {
  const { stdout, stderr } = await node.trigger(...args);
  return (JSON.parse(stderr || stdout) as { error: ErrorView }).error;
};

describe('H1: a disk that is full', () => {
  it('H1: a full disk refuses new work by name, running jobs end well, owed work waits, and all continues without a restart', async () => {
    let state = '';
    const node = await start({
      prepare: (created) => {
        state = smallDisk(created, '6m');
      },
    });
    await fleet.fire('before', { ms: 2_500 });
    await until(() => fleet.recorder.executions().length === 1, 'the run');
    const free = fillDisk(state);
    for (let i = 0; i < 3; i++) {
      // What SQLite's log has left is used up first.
      const error = await until(
        () => refusal(node, 'queue', 'add', '--json', '--', 'true').catch(() => undefined),
        'a refusal',
      );
      fleet.recorder.refused('queue add', error.code, error.message);
      expect(error.code).toBe('journal-failed');
    }
    await fleet.fire('owed');
    await until(() => fleet.recorder.executions().every(({ endLine }) => endLine !== null), 'the end of the run');
    await pause(500);
    expect((await node.trigger('queue')).exitCode).toBe(0);
    free();
    expect(await fleet.verdict()).toEqual([]);
    expect(await add(node, '--', 'true')).toMatchObject({ state: 'queued' });
    expect((await node.trigger('queue', 'wait')).exitCode).toBe(0);
  });

  it('H1: without inodes a firing waits, and runs when there are some', async () => {
    let state = '';
    const node = await start({
      prepare: (created) => {
        state = smallDisk(created, '6m');
      },
    });
    // Refused where the daemon has made a file since they were counted.
    await until(() => {
      try {
        remount(state, `nr_inodes=${inodesUsed(state)}`);
        return true;
      } catch {
        return false;
      }
    }, 'a disk without inodes');
    await fleet.fire('no-inodes');
    await pause(500);
    expect(fleet.recorder.executions()).toEqual([]);
    remount(state, 'nr_inodes=10000');
    expect(await fleet.verdict()).toEqual([]);
    expect(fleet.recorder.executions()).toHaveLength(1);
    expect((await node.trigger('queue', 'add', '--', 'true')).exitCode).toBe(0);
  });
});

describe('H1: a disk with errors', () => {
  it('H1: I/O errors refuse new work by name or accept it whole, and what was accepted is done when the disk works', async () => {
    let disk: ReturnType<typeof badDisk> = { fail: () => () => undefined };
    const node = await start({
      prepare: (created) => {
        disk = badDisk(created);
      },
    });
    await fleet.fire('before');
    await fleet.settled();
    const heal = disk.fail();
    const payload = 'x'.repeat(200_000);
    const refused = await until(
      () =>
        postJob(node.socket, { argv: ['true'], payload }).then(
          () => undefined,
          (thrown: Error) => thrown.message,
        ),
      'a refusal',
    );
    expect(refused).toContain('journal-failed');
    expect((await node.trigger('queue')).exitCode).toBe(0);
    heal();
    await fleet.fire('after');
    expect(await fleet.verdict()).toEqual([]);
    expect((await node.trigger('queue', 'wait')).exitCode).toBe(0);
  });
});

describe('H2: open files', () => {
  it('H2: a daemon without file descriptors loses nothing, and recovers when it has some', async () => {
    const node = await start();
    const before = openFiles(node.pid());
    limitOpenFiles(node.pid(), before + 2);
    const fired = await Promise.all(Array.from({ length: 6 }, (_, i) => fleet.fire(`h2-${i}`)));
    await pause(1_500);
    limitOpenFiles(node.pid(), 1024);
    expect(fired).toHaveLength(6);
    // What the shortage made it miss it finds with its next listing, a minute later.
    expect(await fleet.verdict({ complete: false }, 180_000)).toEqual([]);
  }, 240_000);

  it('I6: a daemon holds after a hundred and fifty firings what it held before', async () => {
    const node = await start();
    await fleet.fire('warm');
    await fleet.settled();
    const gauge = () => ({
      files: openFiles(node.pid()),
      zombies: zombiesOf(node.pid()),
      children: processesWith(node.dir).length,
    });
    const before = gauge();
    for (let i = 0; i < 5; i++) await Promise.all(Array.from({ length: 30 }, (_, k) => fleet.fire(`i6-${i}-${k % 2}`)));
    await fleet.settled();
    // The last job's runner may be on its way out. What never comes back the checker names.
    const isBack = ({ files, zombies, children }: ReturnType<typeof gauge>) =>
      files <= before.files + 6 && zombies <= before.zombies && children <= before.children + 1;
    await until(() => isBack(gauge()), 'everything to be given back').catch(() => undefined);
    const after = gauge();
    fleet.recorder.gauge({ what: 'open files', before: before.files, after: after.files, tolerance: 6 });
    fleet.recorder.gauge({ what: 'zombies', before: before.zombies, after: after.zombies, tolerance: 0 });
    fleet.recorder.gauge({ what: 'processes', before: before.children, after: after.children, tolerance: 1 });
    expect(await fleet.verdict()).toEqual([]);
  });
});

describe.skipIf(!canFakeTime)('H3: clocks', () => {
  it.each(['-1h'])('H3: a daemon whose clock is off by %s runs every firing once', async (offset) => {
    const node = await start({ env: skewedClock(offset) });
    for (let i = 0; i < 5; i++) await fleet.fire(`h3-${i}`, { ms: 20 });
    const done = await add(node, '--timeout', '10m', '--', 'true');
    expect((await node.trigger('queue', 'wait', String(done.id))).exitCode).toBe(0);
    expect(await fleet.verdict()).toEqual([]);
    expect(fleet.recorder.executions()).toHaveLength(5);
  });

  it.each(['+3650d'])(
    'H3: a daemon whose clock is off by %s answers every request, and runs nothing twice',
    async (offset) => {
      await start({ env: skewedClock(offset) });
      for (let i = 0; i < 5; i++) await fleet.fire(`h3-${i}`);
      expect(await fleet.verdict()).toEqual([]);
      const { executions, outcomes } = await fleet.record();
      // Ten years ahead every id is older than the id memory: refused as too old, and recorded as that.
      expect(executions.length + outcomes.filter(({ stage }) => stage === 'skipped').length).toBe(5);
    },
  );

  it('H3: a clock that jumps under a running daemon ends no job early, and makes nothing run again', async () => {
    const offset = join(temporaryFolder(), 'offset');
    const jump = (by: string) => writeFileSync(offset, `${by}\n`);
    jump('+1h');
    const node = await start({ env: jumpingClock(offset) });
    const slow = await add(node, '--timeout', '10m', '--', 'sleep', '1');
    for (const by of ['-1h', '+2h', '-2h', '+0']) {
      jump(by);
      await fleet.fire(`jump${by}`);
      await pause(150);
    }
    expect((await node.trigger('queue', 'wait', String(slow.id))).exitCode).toBe(0);
    expect(await fleet.verdict()).toEqual([]);
    expect(fleet.recorder.executions()).toHaveLength(4);
  });
});

describe('I8: secrets', () => {
  it('I8: a job’s environment and payload are in no log, command line, outcome or listing', async () => {
    const node = await start();
    const secret = 'hunter2-XYZZY';
    const gate = join(node.dir, 'gate');
    const script = `test -n "$TOKEN" && until [ -e ${gate} ] || [ ! -d ${node.dir} ]; do sleep 0.02; done`;
    const job = await add(node, '--env', `TOKEN=${secret}`, '--', 'sh', '-c', script);
    await until(async () => (await node.job(job.id)).state === 'running', 'the job');
    for (const pid of processesWith('/')) fleet.recorder.text(commandLine(pid));
    writeFileSync(gate, '');
    expect((await node.trigger('queue', 'wait', String(job.id))).exitCode).toBe(0);
    fleet.recorder.text((await node.trigger('queue', '--json')).stdout);
    await postFiring(node.socket, { trigger: 't', hosts: ['nobody'] });
    const { store } = fleet.keyspace;
    for (const { value } of (await store.list('/trigger/')).entries) fleet.recorder.text(value);
    const violations = await fleet.verdict({ secrets: [secret] }, 100);
    expect(violations.filter(({ invariant }) => invariant === 'I8')).toEqual([]);
  });
});

const commandLine = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
};
