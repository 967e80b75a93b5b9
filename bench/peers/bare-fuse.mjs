// A bare fuse-native file system that drops what is written: node bare-fuse.mjs MOUNTPOINT
import { spawnSync } from 'node:child_process';
import Fuse from 'fuse-native';

class Bare extends Fuse {
  _fuseOptions() {
    return '-odirect_io,big_writes,max_write=131072';
  }
}

const [mountpoint] = process.argv.slice(2);
const directory = { mode: 0o40755, size: 0, uid: 0, gid: 0 };
const file = { mode: 0o100666, size: 0, uid: 0, gid: 0 };
const fuse = new Bare(mountpoint, {
  getattr: (path, answer) => answer(0, path === '/' ? directory : file),
  readdir: (_path, answer) => answer(0, ['file']),
  open: (_path, _flags, answer) => answer(0, 1),
  truncate: (_path, _size, answer) => answer(0),
  write: (_path, _fd, _bytes, length, _offset, answer) => answer(length),
  flush: (_path, _fd, answer) => answer(0),
  release: (_path, _fd, answer) => answer(0),
});
fuse.mount((error) => {
  if (error) throw error;
  console.log('ready');
});
setInterval(() => undefined, 60_000);
process.on('SIGTERM', () => {
  spawnSync('fusermount', ['-uz', '--', mountpoint]);
  process.exit();
});
