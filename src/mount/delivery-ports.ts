import type { TriggerdError } from '../domain/errors.ts';
import type { Definition } from '../registry/model.ts';
import type { TreeChange } from './ports.ts';
import type { TreeSnapshot } from './tree.ts';

/** A message that was written to a trigger file and is on disk. */
export interface SpooledMessage {
  /** Order of arrival on this node. */
  readonly seq: number;
  /** Of the request that it becomes, at every attempt. */
  readonly id: string;
  readonly definition: number;
  readonly payload: Buffer;
  /** When it was written, or told to wait again; ms of the spool's own clock. */
  readonly since: number;
}

/** What the spool's own clock (`spool-clock.ts`) and the wall clock showed at one moment; ms. */
export interface ClockMark {
  readonly own: number;
  readonly wall: number;
}

/** What a message takes on disk besides its bytes, at least: without it a disk is soon full of messages of two bytes. */
export const messageOverheadBytes = 128;

export interface NewMessage extends Omit<SpooledMessage, 'seq'> {
  /** The hit; ms since the epoch. */
  readonly writtenAt: number;
}

/** How a request of a trigger file ended. */
export interface TriggerOutput {
  readonly request: string;
  readonly endedAt: number;
  readonly result: string;
  readonly exitCode: number | null;
  readonly reason: string | null;
  /** Who made the output; null when several have. */
  readonly worker: string | null;
  /** Bounded by who made it. */
  readonly output: Buffer;
}

/** A synchronous write that nobody waits for any more. */
export interface EndedWrite {
  readonly definition: number;
  readonly hitAt: number;
  /** Undefined where the request was refused, or lost. */
  readonly output: TriggerOutput | undefined;
}

export interface TriggerCounts {
  readonly hits: number;
  readonly hitAt: number;
  readonly waiting: number;
  readonly dead: number;
  /** Why the last of the dead ones is dead. */
  readonly reason: string | null;
  /** Bytes of the last output. */
  readonly size: number;
}

/** A dead letter that waits again. */
export interface Revived {
  readonly definition: number;
  /** With `messageOverheadBytes`. */
  readonly bytes: number;
}

/** Where messages of one team's trigger files wait on this node. What returns is on disk. Throws `journal-failed`. */
export interface MessageSpool {
  /** In one transaction, and counted as hits. */
  add(messages: readonly NewMessage[]): void;
  /** The oldest that waits for this trigger. */
  head(definition: number): SpooledMessage | undefined;
  /** Triggers with a message that waits. */
  waiting(): readonly number[];
  /** What all take that wait, or all dead letters: bytes, with `messageOverheadBytes` for each. */
  bytes(state: 'waiting' | 'dead'): number;
  /** It has ended: away with it, and the output is the trigger's last one. */
  deliver(seq: number, definition: number, output: TriggerOutput): void;
  /** It waits on, as a new request: under its old id a worker would only say again how it ended. */
  renew(seq: number, id: string): void;
  /** It is not tried any more, and kept; of the dead ones of a trigger only the newest are. */
  bury(seq: number, definition: number, reason: string): void;
  /**
   * Dead letters of this trigger, or of all, wait again where they were, as new requests: under its old id a worker that
   * knows it would only say again how it ended. They wait since `since`.
   */
  revive(definition: number | undefined, newId: () => string, since: number): readonly Revived[];
  /** Forgets dead letters of this trigger, or of all. How many. */
  purge(definition: number | undefined): number;
  /** Forgets dead letters of any trigger, the oldest first, until the others take `maxBytes` at most. How many. */
  purgeOldest(maxBytes: number): number;
  /** In one transaction, and counted as hits. */
  record(ended: readonly EndedWrite[]): void;
  /** Newest first. */
  outputs(definition: number): readonly TriggerOutput[];
  counts(): ReadonlyMap<number, TriggerCounts>;
  /** How often this node has hit each trigger, ever, and when last. */
  hits(): ReadonlyMap<number, Hits>;
  /** The name of this journal's counters: a ULID, made when it is asked for the first time. */
  counter(): string;
  /** The last one that was kept; without one, when the newest message was written. Undefined in a spool that is new. */
  clockMark(): ClockMark | undefined;
  keepClockMark(mark: ClockMark): void;
  /** The tree as it was last known, for a start without the registry. */
  saveTree(tree: TreeSnapshot): void;
  savedTree(): TreeSnapshot | undefined;
}

/** The way to the services. */
export interface RequestSender {
  send(request: {
    readonly id: string;
    readonly definition: Definition;
    readonly payload: Buffer;
    /** It may have been sent before, by a daemon that is gone: nothing of it may run a second time. */
    readonly resume: boolean;
    /** Cancels it, also on the worker. */
    readonly signal?: AbortSignal;
  }): Promise<Delivery>;
}

/**
 * A job that failed is an end too; with `again` its plugin has said that it cannot do it now, and no other worker has done it.
 * `failed` is what was refused or lost; whether to try again is the error's `retryable`.
 */
export type Delivery =
  | { readonly kind: 'ended'; readonly output: TriggerOutput; readonly again?: boolean }
  | { readonly kind: 'failed'; readonly error: TriggerdError };

/** The registry's part that a mount shows. */
export interface TreeSource {
  /** Undefined until it is known. */
  current(): TreeSnapshot | undefined;
  /** Called after every change. Returns how to stop that. */
  onChange(listener: () => void): () => void;
  /** Where the tree comes from those who take requests: `current` shows it when this resolves. Throws what keeps it from that. */
  ask?(): Promise<void>;
  /** Resolves when `current` shows all that happened before this call. Throws what keeps it from that. */
  refresh?(): Promise<void>;
  /** Resolves when `current` shows it. Throws `registry-…`. */
  execute(change: TreeChange): Promise<void>;
}

/** Where hits are counted for everybody to see. */
export interface HitCounters {
  /** Absolute numbers of this node, or of this mount. */
  publish(hits: ReadonlyMap<number, Hits>): Promise<void>;
}

export interface Hits {
  readonly count: number;
  /** When the last one was written, in Unix milliseconds. */
  readonly lastAt: number;
}
