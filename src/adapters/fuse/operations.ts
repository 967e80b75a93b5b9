import { constants } from 'node:fs';
import type { Operations, Stat } from 'fuse-native';
import type { Log } from '../../kit/log.ts';
import { errnoNumber, errnoOf, FsError } from '../../mount/errno.ts';
import type { Attributes, FileSystem, OpenFlags } from '../../mount/ports.ts';

/**
 * Longest piece of a write. 31 pages and not the 32 that libfuse 2 could have: then every piece but a call's last has
 * exactly this length, even of a buffer that does not begin at a page; and no power of two is a multiple of it.
 */
export const maxWriteBytes = 31 * 4_096;

const blockBytes = 4_096;
const maxNameBytes = 255;

/** A `FileSystem` as fuse-native's operations: every one is answered, whatever happens. */
export const operationsOf = (files: FileSystem, log: Log): Operations => {
  const failed = (what: string, thrown: unknown): number => {
    const errno = errnoOf(thrown);
    // Programs look for what is not there all the time.
    if (errno !== 'ENOENT') log.debug({ what, errno, error: String(thrown) }, 'Refused a file operation');
    if (!(thrown instanceof FsError) && errno === 'EIO') log.error({ what, error: thrown }, 'A file operation failed');
    return errnoNumber(errno);
  };
  const answering = <T>(what: string, work: () => Promise<T> | T, answer: (errno: number, value?: T) => void): void => {
    const refused = (thrown: unknown): void => answer(failed(what, thrown));
    let value: Promise<T> | T;
    try {
      value = work();
    } catch (thrown) {
      refused(thrown);
      return;
    }
    if (value instanceof Promise) value.then((later) => answer(0, later), refused);
    else answer(0, value);
  };
  const refuse = (what: string, answer: (errno: number) => void): void =>
    answer(failed(what, new FsError('EPERM', 'only directories can be created and removed here')));
  return {
    statfs: (_path, answer) => answer(0, { bsize: blockBytes, frsize: blockBytes, namemax: maxNameBytes }),
    getattr: (path, answer) => answering(`getattr ${path}`, () => statOf(files.attributes(path)), answer),
    readdir: (path, answer) => answering(`readdir ${path}`, () => ['.', '..', ...files.list(path)], answer),
    open: (path, flags, answer) => answering(`open ${path}`, () => opening(files, path, flagsOf(flags)), answer),
    read: (path, handle, into, length, offset, answer) =>
      answering(
        `read ${path}`,
        async () => (await files.read(handle, length, offset)).copy(into),
        (errno, copied = 0) => answer(errno === 0 ? copied : errno),
      ),
    write: (path, handle, bytes, length, offset, answer) =>
      answering(
        `write ${path}`,
        // A copy: the kernel's bytes are taken away when the answer is there, and fuse-native gives one itself after a while.
        () => files.write(handle, { bytes: Buffer.from(bytes), isFull: length === maxWriteBytes, offset }),
        (errno) => answer(errno === 0 ? length : errno),
      ),
    flush: (path, handle, answer) => answering(`close ${path}`, () => files.flush(handle), answer),
    fsync: (path, _dataOnly, handle, answer) => answering(`fsync ${path}`, () => files.sync(handle), answer),
    release: (path, handle, answer) => answering(`release ${path}`, () => files.release(handle), answer),
    truncate: (path, size, answer) => answering(`truncate ${path}`, () => files.truncate(path, size), answer),
    ftruncate: (path, handle, size, answer) =>
      answering(`truncate ${path}`, () => files.resize(handle, path, size), answer),
    mkdir: (path, mode, answer) => answering(`mkdir ${path}`, () => files.makeDirectory(path, mode), answer),
    rmdir: (path, answer) => answering(`rmdir ${path}`, () => files.removeDirectory(path), answer),
    rename: (from, to, answer) => answering(`rename ${from} ${to}`, () => files.rename(from, to), answer),
    chmod: (path, mode, answer) => answering(`chmod ${path}`, () => files.changeMode(path, mode & 0o7777), answer),
    chown: (path, _uid, _gid, answer) => answering(`chown ${path}`, () => files.changeOwner(path), answer),
    utimens: (path, _atime, _mtime, answer) => answering(`utimens ${path}`, () => files.changeTimes(path), answer),
    create: (path, _mode, answer) => answering(`create ${path}`, () => openingNew(files, path), answer),
    mknod: (path, _mode, _device, answer) => refuse(`mknod ${path}`, answer),
    unlink: (path, answer) => refuse(`unlink ${path}`, answer),
    link: (_from, to, answer) => refuse(`link ${to}`, answer),
    symlink: (_target, path, answer) => refuse(`symlink ${path}`, answer),
  };
};

/** What was made or attached a moment ago may not have been told yet: refused is only what is asked for anew. */
const opening = (files: FileSystem, path: string, flags: OpenFlags): number | Promise<number> => {
  try {
    return files.open(path, flags);
  } catch (thrown) {
    if (!flags.forWriting || !isOfOldTree(thrown)) throw thrown;
    return files.refresh().then(() => files.open(path, flags));
  }
};

/** The kernel knows of no such file, and the shell's `>` would make it; it may have come meanwhile. */
const openingNew = async (files: FileSystem, path: string): Promise<number> => {
  await files.refresh();
  try {
    return files.open(path, { forReading: false, forWriting: true, isAppending: false, isTruncated: true });
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') throw new FsError('EPERM', 'only directories can be created and removed here');
    throw thrown;
  }
};

const isOfOldTree = (thrown: unknown): boolean => ['ENXIO', 'ENOENT'].includes(errnoOf(thrown));

const statOf = ({ kind, mode, uid, gid, size, changedAt, writtenAt }: Attributes): Stat => ({
  mode: mode | (kind === 'directory' ? constants.S_IFDIR : constants.S_IFREG),
  uid,
  gid,
  size,
  nlink: kind === 'directory' ? 2 : 1,
  mtime: writtenAt,
  atime: writtenAt,
  ctime: changedAt,
});

const flagsOf = (flags: number): OpenFlags => {
  const access = flags & (constants.O_WRONLY | constants.O_RDWR);
  return {
    forReading: access !== constants.O_WRONLY,
    forWriting: access !== 0,
    isAppending: (flags & constants.O_APPEND) !== 0,
    isTruncated: (flags & constants.O_TRUNC) !== 0,
  };
};
