/** From what a person knows, a piece of an id, a trigger's name or a node's, to firings and outcomes. */
import { TriggerdError } from '../../domain/errors.ts';
import { type Firing, type FiringId, isFiringId } from '../../domain/firing.ts';
import { type Outcome, owedOutcome } from '../../domain/outcome.ts';
import { inWindows } from '../../kit/in-windows.ts';
import { readable } from '../../store/document.ts';
import { type Keyspace, lastSegment } from '../../store/keys.ts';
import { recentFirings } from '../follow/follow-firing.ts';
import { parseFiring } from '../wire/firing.ts';
import { parseOutcome } from '../wire/outcome.ts';
import type { CausalGraph, RunHop } from './graph.ts';

/** How far back a name is looked for. */
const recent = 1_000;
/** Runs of one node that are compared: the newest firing is not always the one that ran last. */
const comparedRuns = 50;
/** Ids that a refusal names at most. */
const namedCandidates = 5;

const prefixPattern = /^[0-7][0-9A-HJKMNP-TV-Z]{5,25}$/;

/**
 * The firing whose id is or begins with this text (6 characters at least, in either case); undefined when it is no id or
 * no firing has it. Throws `firing-ambiguous`.
 */
export const firingWithId = async ({ store, keys }: Keyspace, text: string): Promise<FiringId | undefined> => {
  const prefix = text.toUpperCase();
  if (isFiringId(prefix)) return prefix;
  if (!prefixPattern.test(prefix)) return undefined;
  const limit = namedCandidates + 1;
  const { entries } = await store.page(keys.firings, { after: keys.firing(prefix), limit, keysOnly: true });
  const ids = entries.map(({ key }) => lastSegment(key)).filter((id) => id.startsWith(prefix));
  if (ids.length < 2) return ids[0];
  const named = ids.slice(0, namedCandidates).join(', ');
  const more = ids.length > namedCandidates ? ', …' : '';
  throw new TriggerdError('firing-ambiguous', `more than one firing ID starts with ${prefix}: ${named}${more}`, {
    details: { candidates: ids.slice(0, namedCandidates) },
  });
};

/** The newest firing of a trigger; undefined when none of the last 1,000 firings is of it. */
export const lastFiringOf = async (keyspace: Keyspace, trigger: string): Promise<FiringId | undefined> =>
  (await recentFirings(keyspace, recent)).find((firing) => firing.trigger === trigger)?.id;

/** The outcome of the run that started last on this node, among the last 1,000 firings; undefined when there is none. */
export const lastRunOn = async (keyspace: Keyspace, node: string): Promise<Outcome | undefined> => {
  const firings = (await recentFirings(keyspace, recent)).filter(({ targets }) => targets?.includes(node) ?? true);
  const outcomes = await outcomesOn(keyspace, node, firings.slice(0, comparedRuns));
  return outcomes
    .filter(({ startedAt }) => startedAt !== null)
    .toSorted((a, b) => (b.startedAt ?? 0) - (a.startedAt ?? 0))[0];
};

/** A firing that a node has not ended yet. */
export interface OwedFiring {
  readonly id: FiringId;
  /** Null while it is still being published. */
  readonly firing: Firing | null;
  readonly outcome: Outcome;
}

export interface Owed {
  /** The oldest ids first, at most 20. */
  readonly firings: readonly OwedFiring[];
  readonly total: number;
}

const shownOwed = 20;

export const owedTo = async (keyspace: Keyspace, node: string): Promise<Owed> => {
  const { store, keys } = keyspace;
  const inbox = keys.inboxes(node);
  const [{ entries }, total] = await Promise.all([
    store.page(inbox, { limit: shownOwed, keysOnly: true }),
    store.count(inbox),
  ]);
  const firings = await inWindows(entries, async ({ key }) => {
    const id = lastSegment(key);
    const [firing, outcome] = await Promise.all([store.get(keys.firing(id)), store.get(keys.outcome(id, node))]);
    return {
      id,
      firing: (firing && readable(parseFiring, firing)[0]) ?? null,
      outcome: (outcome && readable(parseOutcome, outcome)[0]) ?? owedOutcome(id, node),
    };
  });
  return { firings, total };
};

/** Whether a daemon of this name has ever announced itself. */
export const isMember = async ({ store, keys }: Keyspace, node: string): Promise<boolean> => {
  const [member, presence] = await Promise.all([store.get(keys.member(node)), store.get(keys.node(node))]);
  return member !== undefined || presence !== undefined;
};

const outcomesOn = async ({ store, keys }: Keyspace, node: string, firings: readonly Firing[]): Promise<Outcome[]> => {
  const entries = await inWindows(firings, ({ id }) => store.get(keys.outcome(id, node)));
  return entries.flatMap((entry) => (entry === undefined ? [] : readable(parseOutcome, entry)));
};

// Puppet's reports of the runs in a graph, as PuppetDB has them.

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
