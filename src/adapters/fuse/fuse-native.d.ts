/** What we use of fuse-native 2.2.6, which has no types of its own. */
declare module 'fuse-native' {
  export type Answer = (errno: number) => void;

  export interface Stat {
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
    readonly size: number;
    readonly nlink: number;
    readonly mtime: number;
    readonly atime: number;
    readonly ctime: number;
  }

  export interface Operations {
    statfs(
      path: string,
      answer: (errno: number, stat?: { bsize: number; frsize: number; namemax: number }) => void,
    ): void;
    getattr(path: string, answer: (errno: number, stat?: Stat) => void): void;
    readdir(path: string, answer: (errno: number, names?: readonly string[]) => void): void;
    open(path: string, flags: number, answer: (errno: number, handle?: number) => void): void;
    /** `answer` takes the number of bytes, or an errno. */
    read(path: string, handle: number, into: Buffer, length: number, offset: number, answer: Answer): void;
    /** `answer` takes the number of bytes, or an errno. `bytes` is lent until then. */
    write(path: string, handle: number, bytes: Buffer, length: number, offset: number, answer: Answer): void;
    flush(path: string, handle: number, answer: Answer): void;
    fsync(path: string, dataOnly: number, handle: number, answer: Answer): void;
    release(path: string, handle: number, answer: Answer): void;
    truncate(path: string, size: number, answer: Answer): void;
    ftruncate(path: string, handle: number, size: number, answer: Answer): void;
    mkdir(path: string, mode: number, answer: Answer): void;
    rmdir(path: string, answer: Answer): void;
    rename(from: string, to: string, answer: Answer): void;
    chmod(path: string, mode: number, answer: Answer): void;
    chown(path: string, uid: number, gid: number, answer: Answer): void;
    utimens(path: string, atime: number, mtime: number, answer: Answer): void;
    create(path: string, mode: number, answer: (errno: number, handle?: number) => void): void;
    mknod(path: string, mode: number, device: number, answer: Answer): void;
    unlink(path: string, answer: Answer): void;
    link(from: string, to: string, answer: Answer): void;
    symlink(target: string, path: string, answer: Answer): void;
  }

  /** Milliseconds per operation, `false` for none. */
  export type Timeouts = { readonly default: number } & { readonly [operation in keyof Operations]?: number | false };

  class Fuse {
    constructor(mountpoint: string, operations: Operations, options: { readonly timeout: Timeouts });
    mount(done: (error: Error | null) => void): void;
    /** Makes the one `-o` string that libfuse gets. */
    protected _fuseOptions(): string;
  }

  export default Fuse;
}
