/** What became of what was written to a trigger file on this node. */
export interface TriggerFileView {
  /** Its path in the mount; null when the trigger is gone. */
  readonly path: string | null;
  readonly hits: number;
  readonly hit_at: string;
  readonly waiting: number;
  readonly dead: number;
  /** Why the last of the dead ones is dead. */
  readonly reason: string | null;
}

/** Of which trigger file; of all where it has none. */
export interface DeadLettersBody {
  readonly path?: string;
}

export interface DeadLettersView {
  readonly messages: number;
}
