import { setTimeout as sleep } from 'node:timers/promises';
import { withTimeout } from '../kit/with-timeout.ts';
import type { Definition } from '../registry/model.ts';
import { type Attributed, attributesOf, FreshCopies, type Owners, type Seen } from './attributes.ts';
import { changeOfMode, changeOfPath, directoryAt } from './changes.ts';
import { FsError } from './errno.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { OpenControl, OpenTrigger } from './open-files.ts';
import type { Attributes, FileHandle, FileSystem, Gateway, OpenFlags, Wait, WritePiece } from './ports.ts';
import { Tree, type TreeNode, type TreeSnapshot } from './tree.ts';

export interface TriggerFilesOptions {
  readonly gateway: Gateway;
  readonly owners: Owners;
  readonly budget: MemoryBudget;
  /** When the mount was made: the times of its root. */
  readonly startedAt: number;
  readonly now: () => number;
  /** Whether who closes a file that was opened then (`performance.now()`) was killed by a signal. */
  readonly isCloserKilled: (openedAt: number) => Promise<boolean>;
  /** What a killed writer has left of a message of this trigger was not sent. */
  readonly onDropped: (definition: Definition) => void;
}

/** A broker that does not answer in this time is away: what is known then counts. */
const refreshMs = 1_000;
const closingMs = 250;
const lookMs = 10;
const lastHandle = 2_147_483_647;

/** The trigger files of one team as a file system. The tree is what it was told last, whoever is away. */
export class TriggerFiles implements FileSystem {
  readonly #options: TriggerFilesOptions;
  readonly #open = new Map<FileHandle, OpenTrigger | OpenControl>();
  #tree = new Tree({ team: '', directories: [], definitions: [] });
  readonly #seen = new Map<number, Seen>();
  #lastHandle = 0;
  #answer: Promise<void> = Promise.resolve();
  #nextAnswer: Promise<void> | undefined;
  /** Triggers that are open for writing. */
  readonly #written = new Map<FileHandle, number>();
  readonly #copies = new FreshCopies();
  /** Documents that a program has closed. The kernel tells of the handle's end only later, when others may have been here. */
  readonly #closing = new Set<FileHandle>();

  constructor(options: TriggerFilesOptions) {
    this.#options = options;
  }

  /** The registry has changed. */
  show(snapshot: TreeSnapshot): void {
    this.#tree = new Tree(snapshot);
  }

  /** Triggers have been written to, or have ended. */
  saw(seen: ReadonlyMap<number, Seen>): void {
    for (const [id, each] of seen) this.#seen.set(id, each);
  }

  attributes(path: string): Attributes {
    return attributesOf(this.#attributed(this.#tree.find(path)), this.#options);
  }

  list(path: string): readonly string[] {
    return this.#tree.list(path);
  }

  open(path: string, flags: OpenFlags): FileHandle {
    const node = this.#tree.find(path);
    if (node.kind === 'root' || node.kind === 'directory') throw new FsError('EISDIR', path);
    const opened = node.kind === 'control' ? this.#openControl(node, flags, path) : this.#openTrigger(node, flags);
    const handle = this.#freeHandle();
    this.#open.set(handle, opened);
    if (flags.forWriting) {
      this.#written.set(handle, node.definition.id);
      if (isDocument(node.definition)) this.#copies.opened(node.definition, flags.isTruncated);
    }
    return handle;
  }

  read(handle: FileHandle, length: number, offset: number): Promise<Buffer> {
    return this.#opened(handle).read(length, offset);
  }

  write(handle: FileHandle, piece: WritePiece): Wait {
    this.#closing.delete(handle);
    return this.#opened(handle).write(piece);
  }

  flush(handle: FileHandle): Wait {
    const opened = this.#opened(handle);
    if (opened instanceof OpenTrigger && opened.isBegun && isDocument(opened.definition)) {
      this.#closing.add(handle);
      this.#copies.closed(opened.definition);
    }
    return opened.settle('close');
  }

  sync(handle: FileHandle): Wait {
    return this.#opened(handle).settle('fsync');
  }

  resize(handle: FileHandle, path: string, size: number): void {
    const opened = this.#open.get(handle);
    if (opened === undefined) this.truncate(path, size);
    else opened.resize(size);
  }

  release(handle: FileHandle): void {
    const opened = this.#open.get(handle);
    const isOver = this.#closing.delete(handle);
    if (opened instanceof OpenTrigger && opened.isBegun && !isOver) this.#copies.closed(opened.definition);
    opened?.release();
    this.#open.delete(handle);
    this.#written.delete(handle);
  }

  /** `> file` truncates to nothing, which changes nothing: a trigger file keeps no content. */
  truncate(path: string, size: number): void {
    const { kind } = this.#tree.find(path);
    if (kind !== 'trigger' || size !== 0) throw new FsError('EPERM', `truncate ${path} to ${size}`);
  }

  makeDirectory(path: string, mode: number): Promise<void> {
    return this.#options.gateway.execute(directoryAt(this.#tree, path, mode));
  }

  removeDirectory(path: string): Promise<void> {
    if (this.#tree.find(path).kind !== 'directory') throw new FsError('ENOTDIR', path);
    if (this.#tree.list(path).length > 0) throw new FsError('ENOTEMPTY', path);
    return this.#options.gateway.execute({ verb: 'directory.delete', path });
  }

  async rename(from: string, to: string): Promise<void> {
    const node = this.#tree.find(from);
    if (node.kind === 'trigger') await this.#assertUnwritten(node.definition.id, from);
    return this.#options.gateway.execute(changeOfPath(this.#tree, from, to));
  }

  /**
   * What copies a document gives its file the mode, the owner and the times of the original: that says nothing about the
   * trigger, and succeeds. Throws EBUSY for the mode of a trigger of another framing that is being written to.
   */
  changeMode(path: string, mode: number): Promise<void> {
    const node = this.#tree.find(path);
    if (node.kind === 'trigger') {
      const { definition } = node;
      const isWritten = this.#isWritten(definition);
      if (isDocument(definition) && this.#copies.takesMode(definition, isWritten)) return Promise.resolve();
      if (isWritten) throw new FsError('EBUSY', `${path} is open for writing`);
    }
    return this.#options.gateway.execute(changeOfMode(this.#tree, path, mode));
  }

  changeOwner(path: string): void {
    this.#assertCopied(path);
  }

  changeTimes(path: string): void {
    this.#assertCopied(path);
  }

  /** Throws EPERM where no program is copying a document to it. */
  #assertCopied(path: string): void {
    const node = this.#tree.find(path);
    const isCopied =
      node.kind === 'trigger' &&
      isDocument(node.definition) &&
      this.#copies.takesTimes(node.definition, this.#isWritten(node.definition));
    if (!isCopied) throw new FsError('EPERM', `${path}: owner and times are the registry’s`);
  }

  #isWritten({ id }: Definition): boolean {
    return [...this.#written].some(([handle, written]) => {
      const opened = this.#open.get(handle);
      return written === id && opened instanceof OpenTrigger && opened.isBegun && !this.#closing.has(handle);
    });
  }

  /** Whoever comes while a question is under way shares the one after it: the answer to that one may be older. */
  async refresh(): Promise<void> {
    const { gateway } = this.#options;
    this.#nextAnswer ??= this.#answer.then(() => {
      this.#nextAnswer = undefined;
      const asked = gateway.refresh?.().catch(() => undefined) ?? Promise.resolve();
      this.#answer = withTimeout(asked, refreshMs, () => undefined);
      return this.#answer;
    });
    await this.#nextAnswer;
  }

  /**
   * A trigger that somebody has open for writing stays: what rotates logs would move it away, for everybody. The kernel tells
   * of a file that is closed in its own time. Throws EBUSY.
   */
  async #assertUnwritten(id: number, path: string): Promise<void> {
    const giveUpAt = performance.now() + closingMs;
    while ([...this.#written.values()].includes(id)) {
      if (performance.now() > giveUpAt) throw new FsError('EBUSY', `${path} is open for writing`);
      await sleep(lookMs);
    }
  }

  #attributed(node: TreeNode): Attributed {
    return node.kind === 'trigger' ? { ...node, seen: this.#seen.get(node.definition.id) } : node;
  }

  #openControl(node: TreeNode & { kind: 'control' }, { forWriting }: OpenFlags, path: string): OpenControl {
    if (forWriting) throw new FsError('EACCES', path);
    return new OpenControl(() => this.#options.gateway.content(node.definition.id, node.what));
  }

  #openTrigger({ definition }: { definition: Definition }, flags: OpenFlags): OpenTrigger {
    if (flags.forWriting && (definition.service === null || definition.plugin === null))
      throw new FsError('ENXIO', `${definition.name} has no service or no plugin yet`);
    return new OpenTrigger({
      ...this.#options,
      definition,
      flags,
      lastSize: () => this.#seen.get(definition.id)?.size ?? 0,
      current: () => this.#tree.definition(definition.id),
      onDropped: () => this.#options.onDropped(definition),
      onHit: () => this.#hit(definition.id),
    });
  }

  #hit(id: number): void {
    this.#seen.set(id, { size: this.#seen.get(id)?.size ?? 0, hitAt: this.#options.now() });
  }

  #opened(handle: FileHandle): OpenTrigger | OpenControl {
    const opened = this.#open.get(handle);
    if (opened === undefined) throw new FsError('EBADF', `handle ${handle}`);
    return opened;
  }

  #freeHandle(): FileHandle {
    do this.#lastHandle = (this.#lastHandle % lastHandle) + 1;
    while (this.#open.has(this.#lastHandle));
    return this.#lastHandle;
  }
}

const isDocument = ({ framing }: Definition): boolean => framing === 'close';
