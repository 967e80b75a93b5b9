import type { ChainLink } from '../../domain/firing.ts';
import type { Stage } from '../../domain/outcome.ts';
import type { ResultKind } from '../../domain/result.ts';

export interface NewFiringBody {
  readonly trigger: string;
  readonly hosts: readonly string[];
  readonly plugin?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly tags?: readonly string[];
  readonly noop?: boolean;
  /** The firing expires when it is still owed after this time. */
  readonly ttl_ms?: number;
  /** From `TRIGGERD_CONTEXT`, when fired inside a run: the chain that this firing continues. */
  readonly chain?: readonly ChainLink[];
  /** With `chain`: hops still allowed to this firing; −1 is stopped by its targets. */
  readonly ttl?: number;
  /** Name of the user who asked; shown as the origin. */
  readonly user?: string;
}

export interface FiredView {
  readonly id: string;
  readonly targets: readonly string[];
  /** Targets that no daemon has ever announced itself as: misspelt, perhaps. */
  readonly unseen: readonly string[];
}

export interface SpooledView {
  readonly id: string;
  /** `stored`: on this node's disk; `owed`: in etcd. */
  readonly stage: 'stored' | 'owed';
}

export interface CancelBody {
  /** Only for these targets; else for all. */
  readonly hosts?: readonly string[];
  /** Also ends it where it runs. */
  readonly kill?: boolean;
  /** Name of the user who asked; the outcome's reason names it. */
  readonly user?: string;
}

export interface CancelledView {
  readonly id: string;
  /** An entry for every target that was asked about. */
  readonly nodes: Readonly<Record<string, CancelledNodeView>>;
}

export interface CancelledNodeView {
  /** `running`: left alone. `kill-asked`: the node will record how it ended. `ended`: had ended before. */
  readonly did: 'cancelled' | 'running' | 'kill-asked' | 'ended';
  readonly stage: Stage;
  readonly result: ResultKind | null;
  readonly reason: string | null;
}

/** From the report processor: a `puppet apply` that has ended. */
export interface RunBody {
  /** The command line of the process, and the folder it ran in. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly started_at: string;
  readonly status: string;
  readonly noop: boolean;
  /** Whether the transaction came to its end. */
  readonly completed: boolean;
  readonly transaction_uuid: string | null;
  /** `resources` of the run's summary: counts. */
  readonly resources: Readonly<Record<string, number>>;
}

export interface RunRecordedView {
  /** The queued jobs that this run has made unnecessary. */
  readonly satisfied: readonly number[];
}

export interface OutcomeView {
  readonly node: string;
  readonly stage: Stage;
  readonly result: ResultKind | null;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly job_id: number | null;
  readonly attempt: number;
  readonly reason: string | null;
  readonly queued_at: string | null;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly duration_ms: number | null;
  readonly clock_skew_ms: number | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly output_tail: string | null;
  /** Its bytes, where they are not UTF-8. */
  readonly output_tail_base64?: string;
}

export interface FiringView {
  readonly id: string;
  readonly trigger: string;
  readonly origin: Readonly<Record<string, unknown>>;
  readonly targets: readonly string[];
  readonly job: { readonly plugin: string | null; readonly args: Readonly<Record<string, string>> };
  readonly noop: boolean;
  /** Puppet's tags that the runs are limited to. A daemon of an earlier version does not tell them. */
  readonly tags?: readonly string[];
  readonly created_at: string;
  readonly expires_at: string | null;
  /** An entry for every target. */
  readonly outcomes: Readonly<Record<string, OutcomeView>>;
}
