import { type ChildProcess, spawn } from 'node:child_process';
import { rm, stat } from 'node:fs/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holdersOfDeadMounts } from '../../../src/adapters/system/machine.ts';
import { definition, directory, mountTree, type TestMount } from '../../support/mounts.ts';
import { until } from '../../support/wait.ts';

const tree = { directories: [directory(1, 'demo')], definitions: [definition(2, 1, 'log'), definition(3, 1, 'other')] };
const never = () => new Promise<never>(() => undefined);

describe('who holds a file of a trigger mount', () => {
  let mount: TestMount;
  const holders: ChildProcess[] = [];
  /** Each is a `sleep` with the file as its standard output. */
  const hold = (script: string): ChildProcess => {
    const child = spawn('sh', ['-c', script, mount.path('demo', 'log')], { stdio: 'ignore' });
    holders.push(child);
    return child;
  };
  /** Those of ours, in the order in which they were started. */
  const found = async () => {
    const all = await holdersOfDeadMounts();
    return holders.flatMap(({ pid }) => all.filter((each) => each.pid === pid));
  };

  beforeAll(async () => {
    mount = await mountTree({ spool: never, send: never, execute: never, content: never });
    mount.show(tree);
    await until(() => stat(mount.path('demo')).catch(() => undefined), 'the tree');
    hold('exec sleep 1000 >> "$0"');
    hold('exec unshare --mount --propagation private sh -c \'exec sleep 1000 >> "$0"\' "$0"');
    // As systemd starts a service: the file is open before the service gets its own view of mounts.
    hold('exec unshare --mount --propagation private sleep 1000 >> "$0"');
    const isSleeping = async (child: ChildProcess) =>
      (await execa('ps', ['-o', 'comm=', '-p', String(child.pid)])).stdout === 'sleep';
    await until(async () => (await Promise.all(holders.map(isSleeping))).every(Boolean), 'all to hold it');
  });
  afterAll(async () => {
    for (const child of holders) child.kill('SIGKILL');
    await rm(mount.mountpoint, { recursive: true });
  });

  it('doctor does not name a process with a file of a mount that is served, wherever the file was opened', async () => {
    expect(await found()).toEqual([]);
  });

  it('doctor neither names nor waits for a process while the process of the mount is frozen', async () => {
    process.kill(mount.process.pid as number, 'SIGSTOP');
    try {
      expect(await found()).toEqual([]);
    } finally {
      process.kill(mount.process.pid as number, 'SIGCONT');
    }
  });

  it('doctor names a process with a file of a dead mount, even where the process’s own view still lists the mount', async () => {
    mount.process.stream.destroy();
    await mount.process.ended;
    const [first, elsewhere, before] = holders.map(({ pid }) => pid);
    const named = [
      { pid: first, program: 'sleep', path: '/demo/log' },
      { pid: elsewhere, program: 'sleep', path: mount.path('demo', 'log') },
      { pid: before, program: 'sleep', path: '/demo/log' },
    ];
    expect(await found()).toEqual(named);
    // To look for the file in vain makes it a deleted one.
    await execa('nsenter', ['--mount', '--target', String(elsewhere), 'stat', mount.path('demo', 'log')], {
      reject: false,
    });
    expect(await found()).toEqual(named);
  });
});
