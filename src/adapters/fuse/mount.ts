import { setTimeout as sleep } from 'node:timers/promises';
import Fuse, { type Timeouts } from 'fuse-native';
import { TriggerdError } from '../../domain/errors.ts';
import type { Log } from '../../kit/log.ts';
import type { FileSystem } from '../../mount/ports.ts';
import { assertOthersMayEnter, detach, isMounted, prepareMountpoint } from './mountpoint.ts';
import { maxWriteBytes, operationsOf } from './operations.ts';

export interface MountOptions {
  /** Absolute. */
  readonly mountpoint: string;
  /** Other users than the one that mounts may enter; permissions hold for them as for everybody. */
  readonly allowOther: boolean;
  readonly log: Log;
}

export interface Mounted {
  /** At once, also while files are open; their descriptors continue until they are closed. */
  unmount(): Promise<void>;
  /** Resolves when it is not there any more, whoever has unmounted it. */
  unmounted(): Promise<void>;
}

const lookMs = 1_000;
/** How long the kernel may remember a name and what `stat` shows of it, where others change it. */
const cacheSeconds = 0.1;
/** What answers from memory answers at once; a journal that is stuck is told to the writer. What waits for a request has its own bound. */
const timeouts: Timeouts = { default: 10_000, read: false, flush: false, fsync: false };

/**
 * Mounts with libfuse 2 through fuse-native; a mount that a dead process has left there is replaced. Not for a process
 * that does anything else: fuse-native's threads never end.
 * Throws `mount-failed`.
 */
export const mount = async (files: FileSystem, { mountpoint, allowOther, log }: MountOptions): Promise<Mounted> => {
  if (allowOther) await assertOthersMayEnter(mountpoint);
  await prepareMountpoint(mountpoint, log);
  const fuse = new TriggerFuse(mountpoint, operationsOf(files, log), { timeout: timeouts }, allowOther);
  await new Promise<void>((resolve, reject) => {
    fuse.mount((error) => (error === null ? resolve() : reject(failed(mountpoint, error))));
  });
  return { unmount: () => detach(mountpoint), unmounted: () => untilGone(mountpoint) };
};

/** libfuse's loop ends unheard: fuse-native has no word for it. */
const untilGone = async (mountpoint: string): Promise<void> => {
  while (await isMounted(mountpoint)) await sleep(lookMs);
};

/**
 * fuse-native names some of libfuse's options and joins what it is given without a look, and it unmounts through a
 * shell: the option string is ours, and neither its `force` nor its `unmount` is used.
 */
class TriggerFuse extends Fuse {
  readonly #allowOther: boolean;

  constructor(...[mountpoint, operations, options, allowOther]: [...ConstructorParameters<typeof Fuse>, boolean]) {
    super(mountpoint, operations, options);
    this.#allowOther = allowOther;
  }

  protected override _fuseOptions(): string {
    const options = [
      'fsname=triggerd',
      'subtype=triggerfs',
      'default_permissions',
      'auto_unmount',
      // Content does not come from a size.
      'direct_io',
      // Without it, opening a file three folders down asks ten times; a file that was not there is there at once.
      `attr_timeout=${cacheSeconds}`,
      `entry_timeout=${cacheSeconds}`,
      'negative_timeout=0',
      // `>` is one operation, not three.
      'atomic_o_trunc',
      'hard_remove',
      'big_writes',
      `max_write=${maxWriteBytes}`,
      ...(this.#allowOther ? ['allow_other'] : []),
    ];
    return `-o${options.join(',')}`;
  }
}

const failed = (mountpoint: string, cause: Error): TriggerdError =>
  new TriggerdError('mount-failed', `${mountpoint}: ${cause.message}`, { cause, details: { mountpoint } });
