// A mounted trigger tree in its smallest form: one file, /next, whose writes are printed as lines of JSON. A process of its own,
// since fuse-native's threads never end.
import Fuse from 'fuse-native';

const [, , mountpoint] = process.argv;
const stat = (mode, nlink) => ({ mode, nlink, size: 0, uid: 0, gid: 0, mtime: 0, atime: 0, ctime: 0 });

class TriggerFuse extends Fuse {
  _fuseOptions() {
    return '-ofsname=triggerd,subtype=triggerfs,auto_unmount,big_writes,max_write=131072';
  }
}

const fuse = new TriggerFuse(mountpoint, {
  readdir: (_path, done) => done(0, ['next']),
  getattr: (path, done) =>
    path === '/' ? done(0, stat(0o40755, 2)) : path === '/next' ? done(0, stat(0o100644, 1)) : done(Fuse.ENOENT),
  open: (_path, _flags, done) => done(0, 1),
  write: (_path, _fd, buffer, length, _position, done) => {
    process.stdout.write(`${JSON.stringify(buffer.subarray(0, length).toString('latin1'))}\n`);
    done(length);
  },
  release: (_path, _fd, done) => done(0),
});
fuse.mount((error) => {
  if (error) throw error;
  process.stdout.write('"mounted"\n');
});
