import { constants } from 'node:fs';
import { access, lstat, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { execa } from 'execa';
import { TriggerdError } from '../../domain/errors.ts';
import type { Log } from '../../kit/log.ts';
import { withTimeout } from '../../kit/with-timeout.ts';

/** fuse-native has room for so many bytes. */
const maxPathBytes = 1_000;
const answerMs = 3_000;

/**
 * Sees to it that something can be mounted there: makes the folder where it is missing, takes away a mount whose process is
 * dead. Throws `mount-failed` that says what is in the way.
 */
export const prepareMountpoint = async (mountpoint: string, log: Log): Promise<void> => {
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
export const assertOthersMayEnter = async (mountpoint: string): Promise<void> => {
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
export const isMounted = async (mountpoint: string): Promise<boolean> => {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  const escaped = mountpoint.replaceAll(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
  return mounts.split('\n').some((line) => line.split(' ')[4] === escaped);
};

/** Lazily, so that open files hold nothing up; without a shell. Throws `mount-failed`. */
export const detach = async (mountpoint: string): Promise<void> => {
  const { failed, stderr, message } = await execa('fusermount', ['-uz', '--', mountpoint], {
    reject: false,
    stdin: 'ignore',
  });
  if (failed && (await isMounted(mountpoint))) throw refused(mountpoint, `cannot be unmounted: ${stderr || message}`);
};

const refused = (mountpoint: string, why: string, cause?: unknown): TriggerdError =>
  new TriggerdError('mount-failed', `${mountpoint}: ${why}`, { cause, details: { mountpoint } });
