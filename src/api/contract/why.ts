import type { Stage } from '../../domain/outcome.ts';
import type { OutcomeView } from './firings.ts';
import type { JobView } from './jobs.ts';

/** A causal graph: firings and runs, causes before their effects. Ids of runs are opaque. */
export interface WhyView {
  readonly kind: 'firing' | 'job' | 'node';
  /** The firing's id, the job's number, or the node's name. */
  readonly name: string;
  /** The firing or run below that was asked about; null: none, as with a job that was added by hand. */
  readonly focus: string | null;
  readonly firings: readonly WhyFiringView[];
  readonly runs: readonly WhyRunView[];
  /** Kind `job`: the job. */
  readonly job: JobView | null;
  /** Kind `node`: what the node has not ended yet; at most 20 are named. */
  readonly owed: { readonly total: number; readonly firings: readonly WhyOwedView[] } | null;
  /** What is missing, and why; one line each. */
  readonly notes: readonly string[];
}

export interface WhyFiringView {
  readonly id: string;
  readonly trigger: string;
  /** False: etcd has it no more; then only the chain of a later firing tells of it, and what follows is null. */
  readonly known: boolean;
  readonly origin: Readonly<Record<string, unknown>> | null;
  readonly noop: boolean | null;
  readonly created_at: string | null;
  readonly targets_total: number | null;
  /** How many targets ended how, or are where; null: only those on the way were looked at. */
  readonly tally: Readonly<Record<string, number>> | null;
  /** Id of the run that fired it; null: no run that a firing had started. */
  readonly caused_by: string | null;
  /** Report of the Puppet run that fired it, if PuppetDB has it. */
  readonly report: PuppetReportView | null;
}

/** What became of one or, coalesced, several firings on one node. */
export interface WhyRunView extends Omit<OutcomeView, 'output_tail' | 'output_tail_base64' | 'stage'> {
  readonly id: string;
  /** Null: etcd has the outcome no more; only the chain of a later firing tells of this run. */
  readonly stage: Stage | null;
  readonly firings: readonly string[];
  /** Counts also those that are not named. */
  readonly firings_total: number;
  readonly report: PuppetReportView | null;
}

export interface WhyOwedView {
  readonly firing: string;
  readonly trigger: string | null;
  readonly origin: Readonly<Record<string, unknown>> | null;
  readonly created_at: string | null;
  readonly stage: Stage;
  readonly reason: string | null;
}

/** A report in PuppetDB. */
export interface PuppetReportView {
  readonly hash: string;
  readonly certname: string;
  readonly transaction_uuid: string | null;
  readonly job_id: string | null;
  readonly status: string | null;
  readonly url: string;
}
