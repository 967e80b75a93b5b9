import type { Firing } from '../domain/firing.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Acceptance, DecidedFiring } from '../queue/ports/journal.ts';
import { cutReason, type FiringFacts, type Happening, type OutcomeFacts } from './event.ts';

const facts = ({ id, trigger }: Firing): FiringFacts => ({ firing: id, trigger });

export const countOfTargets = (firing: Firing): number =>
  firing.targets === null ? firing.targetsTotal : firing.targets.length;

/** At `at` this firing was in etcd. */
export const publishedEvent = (firing: Firing, at: number): Happening => ({
  at,
  node: firing.origin.node,
  kind: 'firing.published',
  stage: 'owed',
  ...facts(firing),
  targets: countOfTargets(firing),
});

export const spooledEvent = (firing: Firing, at: number): Happening => ({
  at,
  node: firing.origin.node,
  kind: 'firing.spooled',
  ...facts(firing),
});

/** What became of a firing that was owed to this node; undefined for one that was there before. */
export const takenEvent = (
  decided: DecidedFiring,
  acceptance: Acceptance,
  { node, at }: Pick<Happening, 'node' | 'at'>,
): Happening | undefined => {
  const { firing } = decided;
  const common = { at, node, ...facts(firing), origin: firing.origin.node };
  switch (acceptance.kind) {
    case 'known':
      return undefined;
    case 'refused':
      if (!('refusal' in decided)) return undefined;
      return { ...common, kind: 'firing.refused', stage: 'skipped', reason: cutReason(decided.refusal) };
    case 'queued':
      return { ...common, kind: 'firing.accepted', stage: 'queued', job: acceptance.job.id, coalesced: false };
    case 'coalesced':
      return { ...common, kind: 'firing.accepted', stage: 'queued', job: acceptance.jobId, coalesced: true };
  }
};

/** What a target has just said. */
export const outcomeEvent = (outcome: Outcome, trigger: string | null, now: number): Happening[] =>
  said(outcome, trigger, outcome.finishedAt ?? (outcome.stage === 'running' ? outcome.startedAt : null) ?? now);

/** All that a target has said, as far as its last word tells it. */
export const outcomeHistory = (outcome: Outcome, trigger: string | null): Happening[] => {
  const { stage, queuedAt, startedAt, finishedAt } = outcome;
  const before = { ...outcome, result: null, exitCode: null, reason: null, durationMs: null };
  return [
    ...said({ ...before, stage: 'queued' }, trigger, queuedAt),
    ...said({ ...before, stage: 'running' }, trigger, startedAt),
    ...(stage === 'deferred' ? said(outcome, trigger, queuedAt) : []),
    ...said(outcome, trigger, finishedAt),
  ];
};

/** Nothing for what has not happened. */
const said = (outcome: Outcome, trigger: string | null, at: number | null): Happening[] => {
  const { stage } = outcome;
  if (at === null || stage === 'owed') return [];
  const event: OutcomeFacts = {
    kind: `outcome.${stage}`,
    firing: outcome.firing,
    trigger,
    stage,
    job: outcome.jobId,
    result: outcome.result,
    exit_code: outcome.exitCode,
    reason: outcome.reason === null ? null : cutReason(outcome.reason),
    duration_ms: outcome.durationMs,
  };
  return [{ at, node: outcome.node, ...event }];
};
