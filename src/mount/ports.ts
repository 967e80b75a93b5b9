/**
 * The border between what a file system means (this room) and what serves it to the kernel (an adapter). A backend calls
 * a `FileSystem`; whatever that throws becomes an errno: `FsError` its own, anything else EIO.
 */

/** Of one open; never used twice at the same time. */
export type FileHandle = number;

/** Who asks, where the backend knows it: `fuse-native` does not. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
}

/** What `stat` shows. Times are ms since the epoch. */
export interface Attributes {
  readonly kind: 'directory' | 'file';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly changedAt: number;
  readonly writtenAt: number;
}

/** Part of a write. The kernel cuts a long `write(2)` into pieces of `maxWriteBytes`; only its last one is shorter. */
export interface WritePiece {
  /** Not changed by anybody any more. */
  readonly bytes: Buffer;
  /** As long as a piece can be: the same `write(2)` may continue. */
  readonly isFull: boolean;
  /** Where in the file, as the kernel has it. */
  readonly offset: number;
}

/** Paths are absolute, within the mount. What is not here is refused by the backend (`refused` in `errno.ts`). */
export interface FileSystem {
  attributes(path: string): Attributes;
  /** Names, without `.` and `..`. */
  list(path: string): readonly string[];
  open(path: string, flags: OpenFlags, caller?: Caller): FileHandle;
  /** At most `length` bytes from `offset`; none at the end. */
  read(handle: FileHandle, length: number, offset: number): Promise<Buffer>;
  /** All of the piece or an error. */
  write(handle: FileHandle, piece: WritePiece): Wait;
  /** Each `close(2)` of a descriptor: several where it was duplicated or inherited. Its error reaches the closer. */
  flush(handle: FileHandle): Wait;
  /** `fsync(2)` */
  sync(handle: FileHandle): Wait;
  /** The last descriptor is gone: nobody hears an error. */
  release(handle: FileHandle): void;
  truncate(path: string, size: number): void;
  /** `ftruncate(2)` */
  resize(handle: FileHandle, path: string, size: number): void;
  makeDirectory(path: string, mode: number, caller?: Caller): Promise<void>;
  removeDirectory(path: string, caller?: Caller): Promise<void>;
  rename(from: string, to: string, caller?: Caller): Promise<void>;
  changeMode(path: string, mode: number, caller?: Caller): Promise<void>;
  /** `chown`, and setting times. */
  changeOwner(path: string): void;
  changeTimes(path: string): void;
  /** Asks what the tree is now, before something is refused by what was known. Never fails, and takes a second at most. */
  refresh(): Promise<void>;
}

/** Undefined where there is nothing to wait for: most writes that are not durable have ended at once. */
export type Wait = Promise<void> | undefined;

export interface OpenFlags {
  readonly forReading: boolean;
  readonly forWriting: boolean;
  /** `O_APPEND` */
  readonly isAppending: boolean;
  /** `O_TRUNC` */
  readonly isTruncated: boolean;
}

/** The daemon, as the process of the mount sees it. */
export interface Gateway {
  /** Resolves when the messages are in the journal, in this order; with `durable` false the mount’s side does not wait for it. */
  spool(definition: number, messages: readonly Buffer[], durable: boolean): Wait;
  /** Sends one message now and waits for its end. Throws `FsError` with what the writer is to be told. */
  send(definition: number, message: Buffer): Promise<Buffer>;
  /** A change of the tree; resolves when the tree shows it. */
  execute(change: TreeChange): Promise<void>;
  /** Resolves when the tree that is shown is as new as this question. Missing: it always is. */
  refresh?(): Promise<void>;
  /** The content of a file that is read. */
  content(definition: number, what: Content): Promise<Buffer>;
}

export type Content = 'result' | 'status' | 'log';

/** What `mkdir`, `mv`, `chmod` and `rmdir` ask of the registry: statements without their team. */
export type TreeChange =
  | { readonly verb: 'directory.add'; readonly path: string; readonly mode: number }
  | { readonly verb: 'directory.set'; readonly path: string; readonly to?: string; readonly mode?: number }
  | { readonly verb: 'directory.delete'; readonly path: string }
  | { readonly verb: 'definition.set'; readonly name: string; readonly path?: string; readonly mode?: number };
