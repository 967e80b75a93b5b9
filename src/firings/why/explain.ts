/**
 * Why something ran, and what followed: from a firing or a run back to the resources that changed, and forward to all it
 * led to. Everything comes from etcd, so that nodes without a daemon have their part in it.
 */
import { type Firing, type FiringId, firstFiringIdAt } from '../../domain/firing.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { readable } from '../../store/document.ts';
import type { Keyspace } from '../../store/keys.ts';
import { parseFiring } from '../wire/firing.ts';
import { Findings, type Tally } from './findings.ts';
import { type CausalGraph, edge, runIdOf } from './graph.ts';

export interface Explanation {
  readonly graph: CausalGraph;
  /** What was asked about: a firing's or a run's id; null: nothing in the graph. */
  readonly focus: string | null;
  /** For firings whose every node was looked at: how many of them ended how, or are where. */
  readonly tallies: ReadonlyMap<FiringId, Tally>;
  /** What is not shown, and why; one line each. */
  readonly notes: readonly string[];
}

/** Throws `firing-not-found`, `firing-malformed`, and the store's errors, as all here do. */
export const explainFiring = async (keyspace: Keyspace, id: FiringId): Promise<Explanation> => {
  const findings = new Findings(keyspace);
  const outcomes = await findings.readStatus(id);
  return explain(findings, outcomes, id);
};

/**
 * One run, by its outcomes: of a coalesced one, one per firing. `firings` are those that the caller has anyway: the
 * journal keeps some that etcd has deleted.
 */
export const explainRun = async (
  keyspace: Keyspace,
  outcomes: readonly Outcome[],
  firings: readonly Firing[] = [],
): Promise<Explanation> => {
  const findings = new Findings(keyspace);
  for (const firing of firings) findings.addFiring(firing);
  for (const outcome of outcomes) {
    await findings.readFiring(outcome.firing);
    // One of several may have been ended by somebody else, before the run.
    const said = await findings.lookUpOutcome(outcome.firing, outcome.node);
    findings.addOutcome(said?.stage === 'skipped' ? said : outcome);
  }
  return explain(findings, outcomes, outcomes[0] === undefined ? null : runIdOf(outcomes[0]));
};

const explain = async (
  findings: Findings,
  outcomes: readonly Outcome[],
  focus: string | null,
): Promise<Explanation> => {
  for (const outcome of outcomes) await findings.readShared(outcome);
  await findAncestors(findings, findings.firings);
  await findDescendants(findings, outcomes);
  // What shares a run further down has come from somewhere, too.
  await findAncestors(findings, findings.firings);
  return { graph: findings.graph(), focus, tallies: findings.tallies, notes: [...findings.notes] };
};

/**
 * Reads what led to these firings: every link of their chains with its run, what else that run satisfied, and so on. What
 * etcd has no more stays a gap that the chain still names.
 */
const findAncestors = async (findings: Findings, firings: readonly Firing[]): Promise<void> => {
  const open = [...firings];
  const seen = new Set<string>();
  for (let firing = open.pop(); firing !== undefined; firing = open.pop()) {
    for (const { firing: id, node } of firing.chain.toReversed()) {
      if (seen.has(edge(id, node)) || !findings.hasCapacity()) continue;
      seen.add(edge(id, node));
      await findings.readFiring(id);
      const outcome = await findings.readOutcome(id, node);
      if (outcome !== undefined) open.push(...(await findings.readShared(outcome)));
    }
  }
};

/** A run's firings have ids of its time, by the clock of its own node; which may have been set meanwhile. */
const slackMs = 60_000;
const pageSize = 500;
/** Firings of that time that are looked at for one hop at most. */
const maxScanned = 10_000;

/** Reads what these runs have fired, what became of that everywhere, and so on. */
const findDescendants = async (findings: Findings, runs: readonly Outcome[]): Promise<void> => {
  let level = runs.filter(hasRun);
  while (level.length > 0) {
    const next: Outcome[] = [];
    for await (const child of firedBy(findings, level)) {
      if (findings.has(child.id)) continue;
      if (!findings.hasCapacity()) return;
      next.push(...(await findings.readStatusIfThere(child.id)));
    }
    for (const outcome of next) await findings.readShared(outcome);
    level = next.filter(hasRun);
  }
};

const hasRun = ({ startedAt }: Outcome): boolean => startedAt !== null;

/** The firings whose chain ends in one of these runs; the run is among the findings then. */
async function* firedBy(findings: Findings, runs: readonly Outcome[]): AsyncGenerator<Firing> {
  const nodes = new Set(runs.map(({ node }) => node));
  const ids = new Set(runs.map(runIdOf));
  for await (const firing of firingsDuring(findings, runs)) {
    const link = firing.chain.at(-1);
    if (link === undefined || !nodes.has(link.node)) continue;
    const outcome = await findings.lookUpOutcome(link.firing, link.node);
    if (outcome === undefined || !ids.has(runIdOf(outcome))) continue;
    await findings.readFiring(link.firing);
    findings.addOutcome(outcome);
    yield firing;
  }
}

/** Firings with a chain from the time of these runs, in the order of their ids. */
async function* firingsDuring(findings: Findings, runs: readonly Outcome[]): AsyncGenerator<Firing> {
  const { store, keys } = findings.keyspace;
  const from = Math.min(...runs.map(({ startedAt }) => startedAt ?? Number.POSITIVE_INFINITY));
  const to = Math.max(...runs.map(({ finishedAt }) => finishedAt ?? Number.POSITIVE_INFINITY));
  const end = Number.isFinite(to) ? keys.firing(firstFiringIdAt(to + slackMs)) : null;
  let after = keys.firing(firstFiringIdAt(from - slackMs));
  for (let scanned = 0; scanned < maxScanned; scanned += pageSize) {
    const { entries, more } = await store.page(keys.firings, { after, limit: pageSize });
    for (const entry of entries) {
      if (end !== null && entry.key > end) return;
      // Most firings follow from none: no need to parse them.
      if (!entry.value.includes('"chain":[]')) yield* readable(parseFiring, entry);
    }
    after = entries.at(-1)?.key ?? after;
    if (!more) return;
  }
  findings.notes.add(`more than ${maxScanned} firings are of the time of these runs: not all of them were looked at`);
}
