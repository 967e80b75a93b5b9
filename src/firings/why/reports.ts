/** Puppet's reports of the runs in a graph, as PuppetDB has them. */
import type { CausalGraph, RunHop } from './graph.ts';

/** What PuppetDB is asked with; a report matches one of them. */
export interface WantedReports {
  readonly transactionUuids: readonly string[];
  readonly jobIds: readonly string[];
}

export interface PuppetReport {
  readonly hash: string;
  readonly certname: string;
  readonly transactionUuid: string | null;
  readonly jobId: string | null;
  /** `changed`, `unchanged` or `failed`. */
  readonly status: string | null;
  /** Where a person, or a program, can read it. */
  readonly url: string;
}

/** Never rejects: a report is good to have, no more. */
export interface ReportSource {
  find(wanted: WantedReports): Promise<ReportAnswer>;
}

export type ReportAnswer =
  | { readonly kind: 'found'; readonly reports: readonly PuppetReport[] }
  | { readonly kind: 'failed'; readonly reason: string };

/** Reports asked for at once at most. */
const maxWanted = 200;

/** Reports by the id of their firing (the run at its origin) or run, and why there are none. */
export const reportsOf = async (
  graph: CausalGraph,
  source: ReportSource,
): Promise<{ readonly reports: ReadonlyMap<string, PuppetReport>; readonly problem: string | null }> => {
  const ids = new Map([...graph.firings.map(originIds), ...graph.runs.map(runIds)]);
  const all = [...ids.values()];
  const transactionUuids = distinct(all.map(({ transaction }) => transaction));
  const jobIds = distinct(all.map(({ transaction, job }) => (transaction === null ? job : null)));
  if (transactionUuids.length + jobIds.length === 0) return { reports: new Map(), problem: null };
  const answer = await source.find({ transactionUuids, jobIds });
  if (answer.kind === 'failed') return { reports: new Map(), problem: answer.reason };
  const reports = new Map<string, PuppetReport>();
  for (const [hop, { transaction, job }] of ids) {
    const report = answer.reports.find((each) =>
      transaction === null ? job !== null && each.jobId === job : each.transactionUuid === transaction,
    );
    if (report !== undefined) reports.set(hop, report);
  }
  return { reports, problem: null };
};

interface ReportIds {
  readonly transaction: string | null;
  readonly job: string | null;
}

const originIds = ({ id, firing }: CausalGraph['firings'][number]): [string, ReportIds] => {
  const origin = firing?.origin;
  return [id, { transaction: origin?.kind === 'puppet' ? origin.transactionUuid : null, job: null }];
};

const runIds = ({ id, outcome }: RunHop): [string, ReportIds] => {
  const facts = (outcome?.details['puppet'] ?? {}) as { readonly report?: unknown; readonly job_id?: unknown };
  return [id, { transaction: textOf(facts.report), job: textOf(facts.job_id) }];
};

const distinct = (texts: readonly (string | null)[]): string[] =>
  [...new Set(texts.filter((each) => each !== null))].slice(0, maxWanted);

const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' && value.length <= 255 ? value : null;
