/** A process that has a node's name, or asks for it. */
export interface HolderView {
  readonly instance: string;
  readonly host: string;
  readonly address: string | null;
  readonly pid: number;
  readonly boot: string;
  readonly version: string;
}

export interface NameView {
  /** `asking`: etcd has not answered yet. `waiting`: for the end of a lease, probably of the last process here. */
  readonly state: 'asking' | 'held' | 'waiting' | 'refused';
  /** Who has the name instead; null also where it is an earlier version, which says nothing of itself. */
  readonly holder: HolderView | null;
  /** Why it is not held, and what to do; null where it is. */
  readonly what: string | null;
  readonly remedy: string | null;
  /** Who else asks for it. */
  readonly refused: readonly HolderView[];
}

export interface AdoptedView {
  readonly node: string;
}

export interface ForgetBody {
  /** Also while the node is present. */
  readonly force?: boolean;
  readonly user?: string;
}

export interface ForgottenView {
  readonly node: string;
  /** How many firings were owed to it. */
  readonly ended: number;
}

export interface NodeView {
  readonly node: string;
  readonly present: boolean;
  readonly version: string | null;
  readonly roles: readonly string[];
  readonly started_at: string | null;
  readonly first_seen_at: string | null;
  /** The process that has the name, or had it within the last minutes; null: an earlier version. */
  readonly holder: HolderView | null;
  /** Other processes that ask for the name, and are refused. */
  readonly refused: readonly HolderView[];
  readonly queues: Readonly<Record<string, { readonly queued: number; readonly running: number }>>;
}
