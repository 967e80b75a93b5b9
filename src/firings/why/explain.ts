/**
 * Why something ran, and what followed: from a firing or a run back to the resources that changed, and forward to all it
 * led to. Everything comes from etcd, so that nodes without a daemon have their part in it.
 */
import type { Firing, FiringId } from '../../domain/firing.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { Keyspace } from '../../store/keyspace.ts';
import { findAncestors } from './ancestors.ts';
import { findDescendants } from './descendants.ts';
import { Findings, type Tally } from './findings.ts';
import { type CausalGraph, runIdOf } from './graph.ts';

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
