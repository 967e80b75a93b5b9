import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openJournal } from '../../src/adapters/sqlite/open-journal.ts';
import { postFiring } from '../support/api.ts';
import { canTrace, pause, traced } from '../support/faults.ts';
import { type Fleet, startFleet } from '../support/fleet.ts';
import { temporaryFolder } from '../support/journal.ts';
import { root } from '../support/node.ts';
import { announced } from '../support/random.ts';
import { stateIn } from '../support/state.ts';
import { until } from '../support/wait.ts';

describe('a daemon that is killed, frozen, or started twice', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet();
  });
  afterAll(() => fleet?.remove());
  const node = () => fleet.nodes[0] as Fleet['nodes'][number];

  it('A1 A2 A3: a daemon killed at random points between accept and result loses nothing and runs nothing twice', async () => {
    const random = announced('A1');
    for (let round = 0; round < 4; round++) {
      const fired = Promise.all(
        Array.from({ length: 6 }, (_, i) => fleet.fire(`a1-${round}-${i % 4}`, { ms: i * 10 })),
      );
      await pause(random.between(0, 150));
      await node().crash();
      await node().start();
      await fired;
    }
    expect(await fleet.verdict()).toEqual([]);
  });

  it('A1: a daemon killed while it accepts its backlog after an absence loses nothing and runs nothing twice', async () => {
    const random = announced('A1 backlog');
    await node().crash();
    for (let from = 0; from < 600; from += 50)
      await Promise.all(Array.from({ length: 50 }, (_, i) => fleet.fire(`a1-owed-${(from + i) % 5}`)));
    for (let round = 0; round < 3; round++) {
      await node().start();
      await pause(random.between(0, 60));
      await node().crash();
    }
    await node().start();
    expect(await fleet.verdict()).toEqual([]);
  });

  it('A5: a daemon that is frozen and thawed continues without a loss', async () => {
    await fleet.fire('a5-before', { ms: 300 });
    node().signal('SIGSTOP');
    for (let i = 0; i < 5; i++) await fleet.fire(`a5-${i}`);
    await pause(2_000);
    node().signal('SIGCONT');
    expect(await fleet.verdict()).toEqual([]);
  });

  it('A6: of two daemons started at once on one state folder, one runs and the other names it', async () => {
    await node().stop();
    const start = () => execa(join(root, 'bin/triggerd'), ['--config', node().configFile], { reject: false });
    const both = [start(), start()];
    const [first, index] = await Promise.race(both.map(async (each, at) => [await each, at] as const));
    const other = both[1 - index] as ReturnType<typeof start>;
    expect(first).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/pid \d+|answers|uses/) });
    await until(() => existsSync(node().socket), 'the other one');
    await fleet.fire('a6');
    await fleet.settled();
    other.kill('SIGTERM');
    expect((await other).exitCode).toBe(0);
    await node().start();
    expect(await fleet.verdict()).toEqual([]);
  });

  it('A7: what etcd was told is in the journal, whenever the power fails', async () => {
    const random = announced('A7');
    const fired = Promise.all(Array.from({ length: 40 }, (_, i) => fleet.fire(`a7-${i % 8}`, { ms: 5 })));
    for (let round = 0; round < 6; round++) {
      await pause(random.between(0, 80));
      node().signal('SIGSTOP');
      const { outcomes } = await fleet.record();
      const copy = temporaryFolder();
      for (const file of ['journal.db', 'journal.db-wal'])
        if (existsSync(join(node().dir, 'state', file))) cpSync(join(node().dir, 'state', file), join(copy, file));
      node().signal('SIGCONT');
      const { firings, close } = openJournal(stateIn(copy));
      expect(outcomes.filter(({ id }) => firings.find(id) === undefined)).toEqual([]);
      close();
    }
    await fired;
    expect(await fleet.verdict()).toEqual([]);
  });

  it.skipIf(!canTrace)('A7: the journal is synced before any of its contents leave the process', async () => {
    const trace = await traced(node().pid(), 'pwrite64,fdatasync,fsync,write,writev,sendto,sendmsg');
    for (let i = 0; i < 10; i++) await fleet.fire(`a7-sync-${i}`);
    await fleet.settled();
    const calls = await trace.stop();
    let isDirty = false;
    let syncs = 0;
    const early: string[] = [];
    for (const call of calls) {
      if (/pwrite64\(\d+<[^>]*journal\.db/.test(call)) isDirty = true;
      else if (/f(data)?sync\(\d+<[^>]*journal\.db/.test(call)) {
        isDirty = false;
        syncs++;
      } else if (isDirty && /(write|writev|sendto|sendmsg)\(\d+<(TCP|socket|UNIX)/.test(call)) early.push(call);
    }
    expect(early).toEqual([]);
    expect(syncs).toBeGreaterThanOrEqual(20);
  });

  it('A9: a job that crashes its runner on each attempt is given up, and the next one runs', async () => {
    const { id } = await postFiring(node().socket, {
      trigger: 'a9',
      hosts: ['node1'],
      plugin: 'record',
      args: { poison: 'yes' },
    });
    await fleet.fire('a9-next');
    await fleet.settled();
    const { outcomes } = await node().firing(id);
    expect(outcomes['node1']).toMatchObject({ stage: 'finished', result: 'interrupted', attempt: 3 });
    expect(outcomes['node1']?.reason).toMatch(/started 3 times/);
    const runs = fleet.recorder.executions().filter(({ firings }) => firings.includes(id));
    expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    const violations = await fleet.verdict({ extraRuns: 2, complete: false });
    // It was not published through the recorder.
    expect(violations.filter(({ invariant }) => invariant !== 'I2')).toEqual([]);
  });
});

describe('A10: a bug that nothing catches', () => {
  it.each(['exception', 'rejection'] as const)(
    'A10: %s ends the daemon with a message and exit code 1, and loses nothing',
    async (kind) => {
      const folder = temporaryFolder();
      const bug = join(folder, 'bug.mjs');
      const act = kind === 'exception' ? "throw new Error('planted')" : "void Promise.reject(new Error('planted'))";
      writeFileSync(bug, `process.on('SIGUSR2', () => { ${act}; });`);
      const fleet = await startFleet({ env: { NODE_OPTIONS: `--import=${bug}` } });
      onTestFinished(() => fleet.remove());
      const [node] = fleet.nodes;
      const fired = Promise.all([fleet.fire('a10-1', { ms: 300 }), fleet.fire('a10-2')]);
      await until(() => fleet.recorder.executions().length > 0, 'a run');
      node?.signal('SIGUSR2');
      await until(() => node?.log().some(({ level }) => level === 60), 'the last word');
      await until(() => !isAlive(node?.pid() ?? 0), 'its end');
      expect(await node?.stop()).toBe(1);
      await node?.start();
      await fired;
      expect(await fleet.verdict()).toEqual([]);
      await fleet.remove();
    },
  );
});

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);
