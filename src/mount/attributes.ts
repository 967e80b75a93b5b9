import type { Definition } from '../registry/model.ts';
import type { Attributes } from './ports.ts';
import type { TreeNode } from './tree.ts';

/** What happened to a trigger, as far as this node knows. */
export interface Seen {
  /** Bytes of its last result. */
  readonly size: number;
  readonly hitAt: number;
}

/** Local accounts by the names that the registry has. */
export interface Owners {
  /** Of the mount itself: what belongs to nobody with an account here. */
  readonly own: Account;
  accountOf(identity: string): Account | undefined;
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export type Attributed =
  | Exclude<TreeNode, { kind: 'trigger' }>
  | (TreeNode & { kind: 'trigger'; seen: Seen | undefined });

const rootMode = 0o775;
/** Readable for whom the trigger is: never writable. */
const readable = 0o444;

export const attributesOf = (
  node: Attributed,
  { owners, startedAt }: { readonly owners: Owners; readonly startedAt: number },
): Attributes => {
  if (node.kind === 'root')
    return { kind: 'directory', mode: rootMode, ...owners.own, size: 0, changedAt: startedAt, writtenAt: startedAt };
  const record = node.kind === 'directory' ? node.directory : node.definition;
  const createdAt = Date.parse(record.created_at);
  const common = {
    kind: node.kind === 'directory' ? ('directory' as const) : ('file' as const),
    mode: record.mode,
    ...(owners.accountOf(record.owner) ?? owners.own),
    size: 0,
    changedAt: Date.parse(record.updated_at),
    writtenAt: createdAt,
  };
  if (node.kind === 'control') return { ...common, mode: record.mode & readable };
  if (node.kind === 'directory' || node.seen === undefined) return common;
  return { ...common, size: node.seen.size, writtenAt: Math.max(createdAt, node.seen.hitAt) };
};

/** How long a copying program may take to come with times and modes; it needs less than a tenth of that. */
const freshMs = 2_000;

interface Copy {
  at: number;
  /** Something was written to it, or it was emptied for a document that may have no bytes. */
  isBegun: boolean;
  /** It was given an owner or times: that is a program that makes its copy complete. */
  isCompleted: boolean;
  /** It was given a mode: the next one is somebody else's. */
  hasMode: boolean;
}

/**
 * Triggers that a document is copied to, or was just now. `cp -p` and `tar` set owner, times and mode of the file that they
 * have open, `rsync` by path after it has closed it, the mode last: a mode that comes after times is the original's. A
 * `chmod` on its own is meant.
 */
export class FreshCopies {
  readonly #copies = new Map<number, Copy>();

  /** For writing. */
  opened({ id }: Definition, isTruncated: boolean): void {
    this.#copies.set(id, { at: performance.now(), isBegun: isTruncated, isCompleted: false, hasMode: false });
  }

  /** After something was written. The kernel tells late: times may have been set since. */
  closed({ id }: Definition): void {
    const copy = this.#copies.get(id);
    if (copy === undefined) return;
    copy.at = performance.now();
    copy.isBegun = true;
  }

  /** Whether an owner or times are those of the original. */
  takesTimes({ id }: Definition, isWritten: boolean): boolean {
    const copy = this.#copies.get(id);
    if (copy === undefined || !(isWritten || isFresh(copy))) return false;
    copy.isCompleted = true;
    return true;
  }

  /** Whether a mode is that of the original. */
  takesMode({ id }: Definition, isWritten: boolean): boolean {
    const copy = this.#copies.get(id);
    if (copy === undefined || !(isWritten || (isFresh(copy) && copy.isCompleted && !copy.hasMode))) return false;
    copy.hasMode = true;
    return true;
  }
}

const isFresh = ({ at, isBegun }: Copy): boolean => isBegun && performance.now() - at <= freshMs;
