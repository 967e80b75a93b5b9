/**
 * The causal graph: firings, and the runs between them. A firing is caused by at most one run, and by the resources of its
 * origin; a run satisfies one firing or, coalesced, several. Pure: it joins what was found, whoever has written that.
 */
import type { ChainLink, Firing, FiringId } from '../../domain/firing.ts';
import { isFinal, type Outcome } from '../../domain/outcome.ts';

export type RunId = string;

export interface FiringHop {
  readonly id: FiringId;
  readonly trigger: string;
  /** Null: etcd has it no more; a later firing's chain still names it. */
  readonly firing: Firing | null;
  /** The run that published it; null: no run that a firing had started. */
  readonly causedBy: RunId | null;
}

/** What became of one firing, or of several at once, on one node; not every one has started anything. */
export interface RunHop {
  readonly id: RunId;
  readonly node: string;
  readonly firings: readonly FiringId[];
  /** Counts also those that were not looked at. */
  readonly firingsTotal: number;
  /** Null: etcd has it no more. */
  readonly outcome: Outcome | null;
}

/** Causes stand before their effects in both lists. */
export interface CausalGraph {
  readonly firings: readonly FiringHop[];
  readonly runs: readonly RunHop[];
}

/** Jobs of one id are one run: the time keeps apart those of a node that was set up anew. */
export const runIdOf = ({ node, firing, jobId, stage, queuedAt }: Outcome): RunId =>
  jobId === null || stage === 'skipped' ? `${node}/${firing}` : `${node}/${jobId}/${queuedAt ?? 0}`;

interface Step {
  readonly id: FiringId;
  readonly trigger: string;
  /** How many runs led to it. */
  readonly rank: number;
  readonly firing: Firing | null;
  readonly from: ChainLink | null;
}

/**
 * Joins firings and outcomes. A cause's rank is always below its effect's: an edge that says otherwise (no honest document
 * has one) is left out, so the graph has no cycle.
 */
export const causalGraph = (firings: readonly Firing[], outcomes: readonly Outcome[]): CausalGraph => {
  const steps = stepsOf(firings);
  const runs = runsOf(steps, outcomes);
  const runOf = new Map(
    [...runs.values()].flatMap((run) => run.firings.map((id) => [edge(id, run.node), run] as const)),
  );
  const rankOf = (run: RunHop) => Math.max(...run.firings.map((id) => steps.get(id)?.rank ?? 0));
  const causeOf = ({ from, rank }: Step): RunId | null => {
    const run = from === null ? undefined : runOf.get(edge(from.firing, from.node));
    return run !== undefined && rankOf(run) < rank ? run.id : null;
  };
  return {
    firings: [...steps.values()]
      .toSorted((a, b) => a.rank - b.rank || compare(a.id, b.id))
      .map((step) => ({ id: step.id, trigger: step.trigger, firing: step.firing, causedBy: causeOf(step) })),
    runs: [...runs.values()].toSorted(
      (a, b) => rankOf(a) - rankOf(b) || startOf(a) - startOf(b) || compare(a.id, b.id),
    ),
  };
};

/** The firings, and those that only the chains of others name. */
const stepsOf = (firings: readonly Firing[]): Map<FiringId, Step> => {
  const steps = new Map<FiringId, Step>();
  for (const firing of firings) {
    const { id, trigger, chain } = firing;
    steps.set(id, { id, trigger, rank: chain.length, firing, from: chain.at(-1) ?? null });
  }
  for (const { chain } of firings)
    for (const [rank, { firing: id, trigger }] of chain.entries())
      if (!steps.has(id)) steps.set(id, { id, trigger, rank, firing: null, from: chain[rank - 1] ?? null });
  return steps;
};

/** The outcomes by run, and the runs that only a chain names. */
const runsOf = (steps: ReadonlyMap<FiringId, Step>, outcomes: readonly Outcome[]): Map<RunId, RunHop> => {
  const runs = new Map<RunId, RunHop>();
  const add = (id: RunId, node: string, firing: FiringId, outcome: Outcome | null): void => {
    const before = runs.get(id);
    const all = [...new Set([...(before?.firings ?? []), firing])].sort(compare);
    const latest = later(before?.outcome ?? null, outcome);
    runs.set(id, {
      id,
      node,
      firings: all,
      firingsTotal: Math.max(all.length, sharedBy(latest).total),
      outcome: latest,
    });
  };
  const known = outcomes.filter(({ firing }) => steps.has(firing));
  for (const outcome of known) add(runIdOf(outcome), outcome.node, outcome.firing, outcome);
  const told = new Set(known.map(({ firing, node }) => edge(firing, node)));
  for (const { from } of steps.values())
    if (from !== null && !told.has(edge(from.firing, from.node)))
      add(`${from.node}/${from.firing}`, from.node, from.firing, null);
  return runs;
};

/** The firings that an outcome's run satisfied, as far as the outcome names them; `total` 0: only its own. */
export const sharedBy = (outcome: Outcome | null): { readonly firings: readonly string[]; readonly total: number } => {
  const { firings, total } = (outcome?.details['shared'] ?? {}) as { firings?: unknown; total?: unknown };
  return {
    firings: Array.isArray(firings) ? firings.filter((each) => typeof each === 'string') : [],
    total: typeof total === 'number' ? total : 0,
  };
};

const later = (a: Outcome | null, b: Outcome | null): Outcome | null =>
  a === null || (b !== null && isFinal(b.stage) && !isFinal(a.stage)) ? b : a;

export const edge = (firing: FiringId, node: string): string => `${firing} ${node}`;
const startOf = (run: RunHop): number => run.outcome?.startedAt ?? Number.POSITIVE_INFINITY;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
