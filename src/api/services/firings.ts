import type { WholeFiring } from '../../domain/firing.ts';
import type { JobId } from '../../domain/job.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { RegularRun } from '../../plugin/puppet/regular-run.ts';
import type { CancelledNodeView } from '../contract/firings.ts';

export interface Firings {
  /** Resolves once etcd has the firing; tells which targets have never been seen. */
  publish(firing: WholeFiring): Promise<{ readonly unseen: readonly string[] }>;
  recent(limit: number): Promise<FiringStatus[]>;
  /** Throws `firing-not-found`. */
  status(id: string): Promise<FiringStatus>;
  /** First the present outcome of every target, then every change; ends when all are final. */
  follow(id: string, signal: AbortSignal): AsyncIterable<Outcome>;
  /** Ends what is still owed. Throws `firing-not-found`, and `input-invalid` for a host that is no target. */
  cancel(id: string, asked: CancelRequest): Promise<Cancelled[]>;
}

export interface CancelRequest {
  /** Undefined: all targets. */
  readonly hosts: readonly string[] | undefined;
  readonly kill: boolean;
  /** `user@node`. */
  readonly by: string;
}

export interface Cancelled {
  readonly node: string;
  readonly did: CancelledNodeView['did'];
  readonly outcome: Outcome | null;
}

/** Takes firings that somebody else has written, byte for byte. */
export interface SpoolIntake {
  /** On this node's disk when it resolves; gives the id. Throws `input-invalid`, `spool-unusable`. */
  store(document: string): Promise<string>;
  /** In etcd when it resolves. Throws the store's errors, too; then the firing stays on the disk and is published later. */
  publish(document: string): Promise<string>;
}

/** Takes notice of Puppet runs that triggerd did not start. */
export interface RunIntake {
  /** Ids of the queued jobs that it has made unnecessary, which have ended by it. */
  record(run: RegularRun): JobId[];
}

export interface FiringStatus {
  readonly firing: WholeFiring;
  /** One for every target. */
  readonly outcomes: readonly Outcome[];
}
