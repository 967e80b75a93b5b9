import { constants } from 'node:fs';
import { access, lstat, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { Timeouts } from 'fuse-native';
import Fuse from 'fuse-native';
import { TriggerdError } from '../../domain/errors.ts';
import type { Log } from '../../kit/log.ts';
import { withTimeout } from '../../kit/with-timeout.ts';
import type { FileSystem } from '../../mount/ports.ts';
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

/** fuse-native has room for so many bytes. */
const maxPathBytes = 1_000;
const answerMs = 3_000;

/**
 * Sees to it that something can be mounted there: makes the folder where it is missing, takes away a mount whose process is
 * dead. Throws `mount-failed` that says what is in the way.
 */
const prepareMountpoint = async (mountpoint: string, log: Log): Promise<void> => {
  await access('/dev/fuse', constants.R_OK | constants.W_OK).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EACCES')
      throw refused(mountpoint, 'this user cannot open /dev/fuse; run chmod 0666 /dev/fuse', cause);
    throw refused(mountpoint, '/dev/fuse is missing or unusable; load the module `fuse`', cause);
  });
  if (Buffer.byteLength(mountpoint) > maxPathBytes) throw refused(mountpoint, 'the path is too long');
  if (await isDead(mountpoint)) {
    log.warn({ mountpoint }, 'Removed the mount of a dead process');
    await detach(mountpoint);
  }
  await mkdir(mountpoint, { recursive: true }).catch((cause: unknown) => {
    throw refused(mountpoint, 'the folder cannot be created', cause);
  });
  await assertUsable(mountpoint);
};

/** Throws `mount-failed` where this user may not let others in: fusermount would say so to nobody. */
const assertOthersMayEnter = async (mountpoint: string): Promise<void> => {
  if (process.getuid?.() === 0) return;
  const settings = await readFile('/etc/fuse.conf', 'utf8').catch(() => '');
  if (!/^\s*user_allow_other\s*$/m.test(settings))
    throw refused(mountpoint, '[triggerfs] allow_other needs the line user_allow_other in /etc/fuse.conf');
};

const assertUsable = async (mountpoint: string): Promise<void> => {
  if (!(await lstat(mountpoint)).isDirectory()) throw refused(mountpoint, 'is a symbolic link, not a folder');
  if (await isMounted(mountpoint)) throw refused(mountpoint, 'something is mounted there');
  if ((await readdir(mountpoint)).length > 0) throw refused(mountpoint, 'the folder is not empty');
};

/** Whether a mount is there that nobody serves any more. */
const isDead = async (mountpoint: string): Promise<boolean> => {
  if (!(await isMounted(mountpoint))) return false;
  const outcome = stat(mountpoint).then(
    () => 'serves' as const,
    (error: NodeJS.ErrnoException) => error.code,
  );
  const code = await withTimeout(outcome, answerMs, () => 'silent' as const);
  if (code === 'silent') throw refused(mountpoint, 'the mount there does not answer; end its process');
  return code === 'ENOTCONN' || code === 'ECONNABORTED';
};

/** By the kernel's list: asking the file system itself could wait for its server for ever. */
const isMounted = async (mountpoint: string): Promise<boolean> => {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  const escaped = mountpoint.replaceAll(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
  return mounts.split('\n').some((line) => line.split(' ')[4] === escaped);
};

/** Lazily, so that open files hold nothing up; without a shell. Throws `mount-failed`. */
const detach = async (mountpoint: string): Promise<void> => {
  const { failed, stderr, message } = await execa('fusermount', ['-uz', '--', mountpoint], {
    reject: false,
    stdin: 'ignore',
  });
  if (failed && (await isMounted(mountpoint))) throw refused(mountpoint, `cannot be unmounted: ${stderr || message}`);
};

const refused = (mountpoint: string, why: string, cause?: unknown): TriggerdError =>
  new TriggerdError('mount-failed', `${mountpoint}: ${why}`, { cause, details: { mountpoint } });
