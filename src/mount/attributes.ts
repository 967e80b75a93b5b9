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
