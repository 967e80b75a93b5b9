import type { Firing, FiringId } from '../domain/firing.ts';
import type { JobRequest } from '../domain/job.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Acceptance, DecidedFiring, NewJob } from '../queue/ports/journal.ts';

/** The queue side of taking firings. */
export interface Intake {
  /** Throws for what could never run. */
  jobFor(request: JobRequest): NewJob;
  /** In this order, all or none: they are journalled when it returns, and nothing has changed when it throws. */
  take(firings: readonly DecidedFiring[]): Acceptance[];
}

/** Hears what becomes of firings on this node; their way does not lead through it. Nothing in it throws. */
export interface FiringObserver {
  /** They are about to be journalled. */
  taking(firings: readonly DecidedFiring[]): void;
  taken(firings: readonly DecidedFiring[], acceptances: readonly Acceptance[]): void;
  /** etcd has taken this outcome of ours. */
  recorded(outcome: Outcome): void;
}

/** Decides what a firing may start here: the local allow-list and `run_cmd`. */
export type DecideJob = (firing: Firing) => { readonly request: JobRequest } | { readonly refusal: string };

/** Firings on this node's disk that etcd does not have yet: one file each, byte for byte the document to be published. */
export interface Spool {
  /** The oldest first. Throws `spool-unusable`. */
  list(): Promise<SpoolFile[]>;
  /** Undefined when somebody else has delivered it meanwhile. Throws `input-invalid` for what is not a file of its own. */
  read(name: string): Promise<SpooledDocument | undefined>;
  /** Durable when it resolves; the same again is harmless. Throws `spool-unusable`. */
  add(id: FiringId, document: string): Promise<void>;
  remove(id: FiringId): Promise<void>;
  /** Sets a file aside with the reason beside it. Throws `spool-unusable`. */
  reject(name: string, reason: string): Promise<void>;
  /** Calls back when there may be something new: soon, and now and then in any case. Returns how to stop that. */
  onChange(listener: () => void): () => void;
}

export interface SpoolFile {
  readonly name: string;
  /** ms since the epoch. */
  readonly storedAt: number;
}

export interface SpooledDocument {
  readonly text: string;
  /** Where the firing belongs, if its manifest names another etcd or prefix than the settings of this node. */
  readonly keyspace: SpooledKeyspace | null;
}

export interface SpooledKeyspace {
  readonly endpoints: readonly string[];
  readonly prefix: string;
}
