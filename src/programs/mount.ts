/**
 * The process of a mount: serves the kernel, and knows only what the daemon tells it over file descriptor 3. It is a
 * process of its own because the kernel waits for it: nothing here may block, and nothing here may touch the mount.
 *
 *     node mount.js '{"mountpoint": …}'        `MountSettings`
 */
import { Socket } from 'node:net';
import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MountSettings } from '../adapters/fuse/mount-process.ts';
import { createLog } from '../adapters/log/log.ts';
import { logProcessWarnings } from '../adapters/log/process-warnings.ts';
import { KilledWriters } from '../adapters/process/killed-writers.ts';
import { closeInherited } from '../adapters/system/inherited.ts';
import { localOwners } from '../adapters/system/local-owners.ts';
import { DaemonLink } from '../mount/link.ts';
import { MemoryBudget } from '../mount/memory-budget.ts';
import { TriggerFiles } from '../mount/trigger-files.ts';

const daemonFd = 3;
/** What all open files together may hold: unfinished messages, and those of synchronous triggers. */
const memoryBytes = 64 * 1_048_576;
/** At the end, for what is on its way to the daemon; it kills us after five seconds. */
const settleMs = 3_000;

const run = async ({ mountpoint, allowOther, log: logOptions }: MountSettings): Promise<void> => {
  closeInherited();
  const log = createLog(logOptions);
  logProcessWarnings(log);
  const stream = new Socket({ fd: daemonFd });
  const link = new DaemonLink(stream, { onTree: (tree) => files.show(tree), onSeen: (seen) => files.saw(seen) });
  const { uid, gid } = userInfo();
  const killed = new KilledWriters();
  const files = new TriggerFiles({
    gateway: link,
    owners: localOwners({ uid, gid }),
    budget: new MemoryBudget(memoryBytes),
    startedAt: Date.now(),
    now: () => Date.now(),
    isCloserKilled: (openedAt) => killed.isCloserKilled(openedAt),
    onDropped: ({ name }) =>
      log.warn({ trigger: name }, 'A signal killed the writer; its unfinished message was not sent'),
  });
  const isCut = new Promise<void>((resolve) => {
    for (const event of ['close', 'error', 'end']) stream.once(event, () => resolve());
  });
  const isTerminated = new Promise<void>((resolve) => process.once('SIGTERM', () => resolve()));
  // Ctrl-C and the end of a terminal reach the whole group; the daemon says when.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  try {
    // Loads libfuse, which may not be there.
    const { mount } = await import('../adapters/fuse/mount.ts');
    const { unmount, unmounted } = await mount(files, { mountpoint, allowOther, log });
    link.tell({ tell: 'mounted' });
    await Promise.race([isCut, isTerminated, unmounted()]);
    await unmount();
    await Promise.race([link.settled(), isCut, sleep(settleMs)]);
  } catch (error) {
    log.error({ error, mountpoint }, 'Cannot mount the trigger files');
    link.tell({ tell: 'failed', message: error instanceof Error ? error.message : String(error) });
    await new Promise<void>((resolve) => stream.end(() => resolve()));
    process.exitCode = 1;
  }
  // fuse-native's threads would keep it; whoever still waits in the kernel is let go, and hears ENOTCONN.
  process.exit();
};

await run(JSON.parse(process.argv[2] ?? '{}') as MountSettings);
