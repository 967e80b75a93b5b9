import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import { KilledWriters } from '../../../src/adapters/process/killed-writers.ts';
import { definition, directory, mountTree } from '../../support/mounts.ts';
import { until } from '../../support/wait.ts';

/** Killed, and kept in its death: the close of its file waits for a daemon that does not answer. */
const stuckProcess = async (): Promise<{ release(): Promise<void> }> => {
  let isWaiting = false;
  let release = (): void => undefined;
  const held = new Promise<Buffer>((resolve) => (release = () => resolve(Buffer.alloc(0))));
  const mount = await mountTree({
    spool: async () => undefined,
    send: () => {
      isWaiting = true;
      return held;
    },
    execute: async () => undefined,
    content: () => held,
  });
  mount.show({
    directories: [directory(1, 'demo')],
    definitions: [definition(10, 1, 'doc', { framing: 'close', delivery: 'sync', partial: 'send' })],
  });
  await until(() => stat(mount.path('demo')).catch(() => undefined), 'the tree');
  const script = 'import os; fd = os.open("demo/doc", os.O_WRONLY); os.write(fd, b"half"); os.kill(os.getpid(), 9)';
  const child = spawn('python3', ['-c', script], { cwd: mount.mountpoint, stdio: 'ignore' });
  const died = once(child, 'exit');
  await until(() => isWaiting, 'the close');
  return {
    release: async () => {
      release();
      await died;
      await mount.close();
    },
  };
};

it('the list of killed writers has those killed since a file was opened, and none that was dying before', async () => {
  const writers = new KilledWriters();
  const before = performance.now();
  expect(await writers.isCloserKilled(before)).toBe(false);
  const stuck = await stuckProcess();
  onTestFinished(() => stuck.release());
  const [one, other] = await Promise.all([writers.isCloserKilled(before), writers.isCloserKilled(before)]);
  expect([one, other]).toEqual([true, true]);
  const openedLater = performance.now();
  expect(await writers.isCloserKilled(openedLater)).toBe(false);
  expect(await writers.isCloserKilled(before)).toBe(true);
});

it('the list of killed writers has no process that is killed and closes no such file', async () => {
  const writers = new KilledWriters();
  const before = performance.now();
  // Much memory to give back, which takes a while: as in a machine where something is always being killed.
  const script = 'import os; b = bytearray(200_000_000); print(1, flush=True); os.kill(os.getpid(), 9)';
  for (let round = 0; round < 5; round++) {
    const child = spawn('python3', ['-c', script]);
    const died = once(child, 'exit');
    await once(child.stdout, 'data');
    expect(await writers.isCloserKilled(before)).toBe(false);
    await died;
  }
});
