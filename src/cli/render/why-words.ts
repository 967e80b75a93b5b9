/** The hops of a causal graph in words. All of it is foreign: whatever is missing or odd is left out. */
import type { OutcomeView } from '../../api/contract/firings.ts';
import type { WhyFiringView, WhyRunView } from '../../api/contract/why.ts';
import { shortOrigin } from './origin.ts';
import { exitOf, noteOf } from './outcome.ts';
import { age, took } from './time.ts';

export interface ResourceWords {
  readonly name: string;
  /** `site.pp:42`. */
  readonly place: string | null;
  readonly message: string | null;
}

export interface Resources {
  readonly named: readonly ResourceWords[];
  readonly total: number;
}

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const resourcesOf = (list: unknown, total: unknown): Resources => {
  const named = (Array.isArray(list) ? list : []).map(resourceOf);
  return { named, total: Math.max(named.length, typeof total === 'number' ? total : 0) };
};

const resourceOf = (value: unknown): ResourceWords => {
  const { resource, file, line, message } = fieldsOf(value);
  const path = textOf(file);
  return {
    name: textOf(resource) ?? '?',
    place: path === null ? null : `${path}:${typeof line === 'number' ? line : '?'}`,
    message: textOf(message)?.replace(/(\{\w+\}[0-9a-f]{8})[0-9a-f]{8,}/g, '$1…') ?? null,
  };
};

/** The resources whose change led to a firing. */
export const causesOf = ({ origin }: WhyFiringView): Resources =>
  resourcesOf(origin?.['causes'], origin?.['causes_total']);

const puppetOf = (run: WhyRunView) => fieldsOf(run.details['puppet']);
export const changedOf = (run: WhyRunView): Resources =>
  resourcesOf(puppetOf(run)['changed_resources'], puppetOf(run)['changed']);
export const failedOf = (run: WhyRunView): Resources =>
  resourcesOf(puppetOf(run)['failed_resources'], puppetOf(run)['failed']);

/** How to find the run's report: its page if PuppetDB has it, else its id and, on the node, its file; or why there is none. */
export const reportOf = (run: WhyRunView): readonly string[] => {
  if (run.report !== null) return [run.report.url];
  const { report, report_file, missing } = puppetOf(run);
  return [report, report_file, missing].map(textOf).filter((each) => each !== null);
};
export const originReportOf = ({ report, origin }: WhyFiringView): readonly string[] => {
  const id = textOf(origin?.['transaction_uuid']);
  if (report !== null) return [report.url];
  return id === null ? [] : [id];
};

/** `Puppet on web01, environment production`. */
export const originOf = ({ origin, known }: WhyFiringView): string => {
  if (!known || origin === null) return 'somewhere: etcd has deleted this firing';
  const environment = textOf(origin['environment']);
  if (origin['kind'] !== 'puppet') return `${shortOrigin(origin)}, by hand`;
  return `Puppet on ${shortOrigin(origin)}${environment === null ? '' : `, environment ${environment}`}`;
};

/** Why a chain began: `File[/etc/app.conf] changed on web01`. */
export const beginningOf = (firing: WhyFiringView): string => {
  const { origin, known, trigger, id } = firing;
  if (!known || origin === null) return `of firing ${id}, which etcd has deleted`;
  if (origin['kind'] !== 'puppet') return `${shortOrigin(origin)} fired “${trigger}”`;
  const { named, total } = causesOf(firing);
  const [first] = named;
  if (first === undefined)
    return `${textOf(origin['resource']) ?? 'a trigger'} was refreshed on ${shortOrigin(origin)}`;
  const more = total > 1 ? ` and ${total - 1} more` : '';
  return `${first.name}${more} changed on ${shortOrigin(origin)}`;
};

/** `job 7 succeeded, exit 2, 18.2 s, 4 changed`. */
export const runInWords = (run: WhyRunView, now: number): string => {
  if (run.stage === null) return 'ran it; etcd has deleted how it ended';
  // Resources that failed stand below, with their own messages.
  const isSaidBelow = failedOf(run).named.length > 0 && run.reason === puppetOf(run)['error'];
  const reason = isSaidBelow ? null : run.reason;
  const outcome: OutcomeView = { ...run, stage: run.stage, reason, output_tail: null };
  const job = run.job_id === null ? '' : `job ${run.job_id} `;
  const facts = [
    exitOf(outcome),
    run.attempt > 1 ? `attempt ${run.attempt}` : '',
    run.duration_ms === null ? '' : took(run.duration_ms),
    run.details['regular_run'] === true ? 'a regular run of Puppet’s own' : '',
    run.stage === 'running' ? `for ${age(run.started_at, now)}` : '',
    run.stage === 'owed' ? 'not taken yet' : '',
  ].filter((part) => part !== '');
  const note = noteOf(outcome);
  const words = `${job}${[run.result ?? run.stage, ...facts].join(', ')}`;
  if (note === '') return words;
  return `${words}${reason === null ? ',' : ':'} ${note}`;
};

/** `3 succeeded, 1 failed`. */
export const tallyInWords = (tally: ReadonlyMap<string, number>): string =>
  [...tally].map(([word, number]) => `${number} ${word}`).join(', ');
