import type { Firing, FiringId } from '../domain/firing.ts';
import type { Outcome, Stage } from '../domain/outcome.ts';
import type { FiringObserver } from '../firings/ports.ts';
import { BoundedMap } from '../kit/bounded-map.ts';
import type { Clock } from '../kit/clock.ts';
import type { Acceptance, DecidedFiring, FiringLog } from '../queue/ports/journal.ts';
import { cutReason, type FiringFacts, type NewEvent, type OutcomeFacts } from './event.ts';
import type { EventLog } from './event-log.ts';

const facts = ({ id, trigger }: Firing): FiringFacts => ({ firing: id, trigger });

export const countOfTargets = (firing: Firing): number =>
  firing.targets === null ? firing.targetsTotal : firing.targets.length;

/** At `at` this firing was in etcd. */
export const publishedEvent = (firing: Firing, at: number): NewEvent => ({
  at,
  node: firing.origin.node,
  kind: 'firing.published',
  stage: 'owed',
  ...facts(firing),
  targets: countOfTargets(firing),
});

export const spooledEvent = (firing: Firing, at: number): NewEvent => ({
  at,
  node: firing.origin.node,
  kind: 'firing.spooled',
  ...facts(firing),
});

/** What became of a firing that was owed to this node; undefined for one that was there before. */
const takenEvent = (
  decided: DecidedFiring,
  acceptance: Acceptance,
  { node, at }: Pick<NewEvent, 'node' | 'at'>,
): NewEvent | undefined => {
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
export const outcomeEvent = (outcome: Outcome, trigger: string | null, now: number): NewEvent[] =>
  said(outcome, trigger, outcome.finishedAt ?? (outcome.stage === 'running' ? outcome.startedAt : null) ?? now);

/** All that a target has said, as far as its last word tells it. */
export const outcomeHistory = (outcome: Outcome, trigger: string | null): NewEvent[] => {
  const { stage, queuedAt, startedAt, finishedAt } = outcome;
  const before = { ...outcome, result: null, exitCode: null, reason: null, durationMs: null };
  return [
    ...said({ ...before, stage: 'queued' }, trigger, queuedAt),
    ...said({ ...before, stage: 'running' }, trigger, startedAt),
    ...(stage === 'deferred' ? said(outcome, trigger, queuedAt) : []),
    ...said(outcome, trigger, finishedAt),
  ];
};

/** Empty for a stage that was not reached. */
const said = (outcome: Outcome, trigger: string | null, at: number | null): NewEvent[] => {
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

/** Triggers of firings are remembered for so many of them: a look into the journal for each would cost a job too much. */
const triggersKept = 10_000;

interface FiringEventsOptions {
  readonly node: string;
  readonly firings: Pick<FiringLog, 'find'>;
  readonly events: Pick<EventLog, 'tell'>;
  readonly metrics: { outcomeRecorded(stage: Stage): void };
  readonly clock: Clock;
}

/** Makes events, and numbers, of what becomes of firings on this node. */
export class FiringEvents implements FiringObserver {
  readonly #options: FiringEventsOptions;
  readonly #triggers = new BoundedMap<FiringId, string>(triggersKept);

  constructor(options: FiringEventsOptions) {
    this.#options = options;
  }

  taking(firings: readonly DecidedFiring[]): void {
    for (const { firing } of firings) this.#triggers.set(firing.id, firing.trigger);
  }

  taken(firings: readonly DecidedFiring[], acceptances: readonly Acceptance[]): void {
    const { node, clock, events } = this.#options;
    for (const [index, acceptance] of acceptances.entries()) {
      const decided = firings[index];
      const event = decided && takenEvent(decided, acceptance, { node, at: clock.now() });
      if (event !== undefined) events.tell(event);
    }
  }

  recorded(outcome: Outcome): void {
    const { metrics, events, clock } = this.#options;
    metrics.outcomeRecorded(outcome.stage);
    const trigger = this.triggerOf(outcome.firing) ?? null;
    for (const event of outcomeEvent(outcome, trigger, clock.now())) events.tell(event);
  }

  /** Undefined for one that this node does not know. */
  readonly triggerOf = (id: FiringId): string | undefined => {
    const known = this.#triggers.get(id);
    if (known !== undefined) return known;
    const trigger = this.#options.firings.find(id)?.firing.trigger;
    if (trigger !== undefined) this.#triggers.set(id, trigger);
    return trigger;
  };
}
