import { describe, expect, it } from 'vitest';
import page from '../../../docs/reference/bus.md?raw';
import type { LegEvent } from '../../../src/broker/leg-events.ts';
import { type LegFacts, type LegRules, type LegStep, stepLeg } from '../../../src/broker/leg-machine.ts';
import type { LegState } from '../../../src/broker/leg-state.ts';
import { deadlineGraceMs } from '../../../src/broker/options.ts';

interface Row {
  readonly state: string;
  readonly event: string;
  readonly when: readonly string[];
  readonly next: string;
  readonly effects: readonly string[];
}

const listOf = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

/** The rows of the page that have a state, an event and what follows. */
const rows: readonly Row[] = page.split('\n').flatMap((line) => {
  const [, state, event, when, next, effects] =
    /^\| `([\w-]+)` \| `([\w-]+)` \|([^|]*)\| `([\w-]+)` \|([^|]*)\|$/.exec(line) ?? [];
  if (state === undefined || event === undefined || when === undefined || next === undefined || effects === undefined)
    return [];
  const conditions = when.split(';').flatMap((condition) => condition.trim() || []);
  return [{ state, event, when: conditions, next, effects: listOf(effects) }];
});

const now = 1_000_000;
const rules: LegRules = { livenessMs: 10_000, startedAt: now - 1_000 };
const outcome = { result: 'succeeded', exit_code: 0, signal: null, reason: null, code: null, ran_ms: 5 } as const;
const finished = { ...outcome, output_bytes: 7 };
const report = { node: 'node1', job: 1, tail: { text: 'x' }, output: null };

interface Case {
  readonly leg: LegFacts;
  readonly event: LegEvent;
}

type In<Kind extends LegState['kind']> = Extract<LegState, { readonly kind: Kind }>;
type On<Kind extends LegEvent['kind']> = Extract<LegEvent, { readonly kind: Kind }>;

/** The words of the column “When”. A row applies only where its state and event have what its words speak of. */
const conditions: Record<string, (at: Case) => boolean> = {
  cancelled: ({ leg }) => leg.request.cancelled !== null,
  'not cancelled': ({ leg }) => leg.request.cancelled === null,
  retried: ({ leg }) => leg.request.retry === 'always',
  'not retried': ({ leg }) => leg.request.retry !== 'always',
  'after the deadline': ({ leg }) => leg.request.deadlineAt <= now,
  'before the deadline': ({ leg }) => leg.request.deadlineAt > now,
  '15 s after the deadline': ({ leg }) => leg.request.deadlineAt + 15_000 <= now,
  'time is left': ({ leg }) => untilOf(leg) > now,
  'no time is left': ({ leg }) => untilOf(leg) <= now,
  'no suspects': ({ leg }) => suspectsOf(leg).length === 0,
  'one suspect': ({ leg }) => suspectsOf(leg).length === 1,
  'several suspects': ({ leg }) => suspectsOf(leg).length > 1,
  'none is connected': ({ event }) => presentOf(event).length === 0,
  'some are connected': ({ event }) => presentOf(event).length > 0,
  'some are missing': ({ leg, event }) => presentOf(event).length < suspectsOf(leg).length,
  'all are connected': ({ leg, event }) =>
    presentOf(event).length > 0 && presentOf(event).length === suspectsOf(leg).length,
  'it is a suspect': ({ leg, event }) => suspectsOf(leg).includes(workerOf(event)),
  'it was asked': ({ leg, event }) => openOf(leg).includes(workerOf(event)),
  'it has the leg': ({ leg, event }) => (leg.state as In<'sent'>).worker === workerOf(event),
  known: ({ event }) => (event as On<'answered'>).isKnown,
  unknown: ({ event }) => !(event as On<'answered'>).isKnown,
  'the worker of before': ({ leg, event }) => (leg.state as In<'asked'>).worker === workerOf(event),
  'another worker': ({ leg, event }) => (leg.state as In<'asked'>).worker !== workerOf(event),
  'others are asked': ({ leg }) => openOf(leg).length > 1,
  'the last one': ({ leg }) => openOf(leg).length === 1,
  'in doubt': ({ leg }) => (leg.state as In<'asked'>).isDoubtful,
  'not in doubt': ({ leg }) => !(leg.state as In<'asked'>).isDoubtful,
  'a worker takes it': ({ event }) => (event as On<'workers-checked'>).availability === 'served',
  'no worker takes it': ({ event }) => (event as On<'workers-checked'>).availability !== 'served',
  'no output has come': ({ leg }) => leg.received === 0,
  'another worker is there': ({ event }) => (event as On<'worker-lost'>).hasOther,
  'no other worker': ({ event }) => !(event as On<'worker-lost'>).hasOther,
};

const untilOf = ({ state }: LegFacts): number => (state as In<'asked' | 'absent'>).until;
const suspectsOf = ({ state }: LegFacts): readonly string[] => (state as In<'absent'>).suspects;
const openOf = ({ state }: LegFacts): readonly string[] => (state as In<'asked'>).open;
const presentOf = (event: LegEvent): readonly string[] => (event as On<'suspects-found'>).present;
const workerOf = (event: LegEvent): string => (event as On<'worker-lost'>).worker;

const all = ['w1', 'w2'];
const times = [now - 1, now, now + 1];
const flags = [false, true];

const states: readonly LegState[] = [
  { kind: 'new' },
  ...times.flatMap((until) => [[], ['w1'], all].map((suspects) => ({ kind: 'absent', suspects, until }) as const)),
  ...times.flatMap((until) =>
    [['w1'], all].flatMap((open) =>
      [null, 'w1', 'w2'].flatMap((worker) =>
        flags.map((isDoubtful) => ({ kind: 'asked', worker, open, until, isDoubtful }) as const),
      ),
    ),
  ),
  ...flags.map((isAgain) => ({ kind: 'waiting', isAgain }) as const),
  { kind: 'sent', worker: 'w1' },
  { kind: 'over', worker: 'w1', outcome: finished, report },
];

const workers = ['w1', 'w2', 'stranger'];

const events: readonly LegEvent[] = [
  { kind: 'begin' },
  { kind: 'resume', now },
  ...[[], ['w1'], all].map((present) => ({ kind: 'suspects-found', present, now }) as const),
  ...(['served', 'unserved', 'broker-stops'] as const).map(
    (availability) => ({ kind: 'workers-checked', availability, now }) as const,
  ),
  { kind: 'given', worker: 'w1' },
  { kind: 'returned' },
  { kind: 'finished', outcome: finished, report },
  ...workers.flatMap((worker): LegEvent[] => [
    ...flags.map((isKnown) => ({ kind: 'answered', worker, isKnown }) as const),
    ...flags.map((hasOther) => ({ kind: 'worker-lost', worker, hasOther }) as const),
    { kind: 'worker-came', worker },
    { kind: 'worker-back', worker, now },
  ]),
  { kind: 'unserved' },
  { kind: 'replayed', now },
  { kind: 'cancelled', reason: 'cancelled by user1@team1' },
  { kind: 'tick', now },
  { kind: 'deadline', now },
  { kind: 'broker-stops' },
];

const requests: readonly LegFacts['request'][] = (['if-unstarted', 'always'] as const).flatMap((retry) =>
  [null, 'cancelled by user1@team1'].flatMap((cancelled) =>
    [now + 1, now, now + 1 - deadlineGraceMs, now - deadlineGraceMs].map((deadlineAt) => ({
      retry,
      cancelled,
      deadlineAt,
      head: { worker: null },
    })),
  ),
);

const legOf = (state: LegState, changes: Partial<LegFacts> = {}): LegFacts => ({
  state,
  candidates: all,
  received: 0,
  request: { retry: 'if-unstarted', cancelled: null, deadlineAt: now + 60_000, head: { worker: null } },
  ...changes,
});

/** What is frozen throws when the machine changes it. */
const frozen = <Value>(value: Value): Value => {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
};

/** More suspects than the leg asks about answer to nobody's question. */
const isPossible = ({ leg, event }: Case): boolean =>
  leg.state.kind !== 'absent' ||
  event.kind !== 'suspects-found' ||
  event.present.every((worker) => suspectsOf(leg).includes(worker));

const cases: readonly Case[] = states
  .flatMap((state) => requests.flatMap((request) => [0, 7].flatMap((received) => legOf(state, { request, received }))))
  .flatMap((leg) => events.map((event) => frozen({ leg, event })))
  .filter(isPossible);

/** In the other states no such worker is spoken of. */
const isOfAnother = ({ leg: { state }, event }: Case): boolean => {
  if (event.kind !== 'answered' && event.kind !== 'worker-lost') return false;
  return !(state.kind === 'asked' ? state.open : state.kind === 'sent' ? [state.worker] : []).includes(event.worker);
};

const applies = (row: Row, at: Case): boolean =>
  row.state === at.leg.state.kind &&
  row.event === at.event.kind &&
  !isOfAnother(at) &&
  row.when.every((condition) => conditions[condition]?.(at));

const kindsOf = ({ state, effects }: LegStep) => ({ next: state.kind, effects: effects.map(({ kind }) => kind) });

const titleOf = ({ state, event, when, next }: Row): string => `${state} ─ ${[event, ...when].join('; ')} ► ${next}`;

describe('the table of legs in docs/reference/bus.md', () => {
  it('the table of legs in docs/reference/bus.md has exactly the conditions that this test knows', () => {
    expect(new Set(rows.flatMap(({ when }) => when))).toEqual(new Set(Object.keys(conditions)));
  });

  it.each(rows.map((row) => [titleOf(row), row] as const))('the leg machine: %s', (_, row) => {
    const those = cases.filter((at) => applies(row, at));
    expect(those).not.toEqual([]);
    for (const { leg, event } of those)
      expect(kindsOf(stepLeg(leg, event, rules))).toEqual({ next: row.next, effects: row.effects });
  });

  it('the table of legs has at most one row for a leg and an event, and without a row nothing happens', () => {
    const wrong = cases.filter((at) => {
      const applying = rows.filter((row) => applies(row, at));
      if (applying.length > 0) return applying.length > 1;
      const step = stepLeg(at.leg, at.event, rules);
      return step.state !== at.leg.state || step.effects.length > 0;
    });
    expect(wrong).toEqual([]);
  });
});

describe('what a leg carries on', () => {
  const step = (leg: LegFacts, event: LegEvent): LegStep => stepLeg(frozen(leg), frozen(event), rules);
  const resumed = (worker: string | null, candidates = all): LegFacts =>
    legOf({ kind: 'new' }, { candidates, request: { ...legOf({ kind: 'new' }).request, head: { worker } } });
  const asked = (changes: Partial<In<'asked'>> = {}): LegState => ({
    ...{ kind: 'asked', worker: 'w1', open: all, until: now + 5, isDoubtful: false },
    ...changes,
  });
  const outcomeOf = ({ state }: LegStep) =>
    state.kind === 'over' ? { ...state.outcome, worker: state.worker } : state;

  it('a resumed leg suspects the worker that the client names, and waits for it from now', () => {
    const { state, effects } = step(resumed('w2'), { kind: 'resume', now });
    expect(state).toEqual({ kind: 'absent', suspects: ['w2'], until: now + 10_000 });
    expect(effects).toEqual([{ kind: 'find-suspects', suspects: ['w2'] }]);
  });

  it.each([null, 'stranger'])(
    'a resumed leg suspects all candidates where the client names %s, and waits for them from the start of the broker',
    (worker) => {
      const { state } = step(resumed(worker), { kind: 'resume', now });
      expect(state).toEqual({ kind: 'absent', suspects: all, until: now - 1_000 + 10_000 });
    },
  );

  it('suspected workers that are connected are asked, and have the liveness time to answer', () => {
    const leg = legOf({ kind: 'absent', suspects: all, until: now });
    const { state, effects } = step(leg, { kind: 'suspects-found', present: ['w2'], now });
    expect(state).toEqual({ kind: 'asked', worker: null, open: ['w2'], until: now + 10_000, isDoubtful: false });
    expect(effects).toEqual([{ kind: 'query', workers: ['w2'] }]);
  });

  it('a suspected worker that was lost without an answer leaves a doubt that the next answer does not remove', () => {
    const { state } = step(legOf(asked()), { kind: 'worker-lost', worker: 'w1', hasOther: true });
    expect(state).toEqual(asked({ open: ['w2'], isDoubtful: true }));
    const next = step(legOf(state), { kind: 'answered', worker: 'w2', isKnown: false });
    expect(outcomeOf(next)).toMatchObject({ result: 'lost', code: 'worker-lost', worker: 'w1' });
  });

  it('a leg that is returned goes first, and one that nobody has begun does not', () => {
    const back = step(legOf({ kind: 'sent', worker: 'w1' }), { kind: 'returned' }).state;
    const fresh = step(legOf({ kind: 'new' }), { kind: 'begin' }).state;
    const checked = { kind: 'workers-checked', availability: 'served', now } as const;
    expect(step(legOf(back), checked).effects).toEqual([{ kind: 'dispatch', isAgain: true }]);
    expect(step(legOf(fresh), checked).effects).toEqual([{ kind: 'dispatch', isAgain: false }]);
  });

  it('the end of a lost worker names it and says how much of its output has arrived', () => {
    const leg = legOf({ kind: 'sent', worker: 'w1' }, { received: 7 });
    expect(outcomeOf(step(leg, { kind: 'worker-lost', worker: 'w1', hasOther: true }))).toMatchObject({
      ...{ result: 'lost', code: 'worker-lost', worker: 'w1', output_bytes: 7 },
      reason: 'w1 was lost; it may have run there',
    });
  });

  it('a lost worker is no candidate of the leg that replaces it', () => {
    const leg = legOf({ kind: 'sent', worker: 'w1' });
    const request = { ...leg.request, retry: 'always' } as const;
    const { effects } = step({ ...leg, request }, { kind: 'worker-lost', worker: 'w1', hasOther: true });
    expect(effects).toEqual([{ kind: 'replace', candidates: ['w2'] }]);
  });

  it('a cancelled leg tells its worker why, even where the worker becomes known only later', () => {
    const reason = 'cancelled by user1@team1';
    const atOnce = step(legOf({ kind: 'sent', worker: 'w1' }), { kind: 'cancelled', reason });
    expect(atOnce.effects).toEqual([{ kind: 'tell-cancelled', worker: 'w1', reason }]);
    const leg = legOf(asked());
    const cancelled = { ...leg, request: { ...leg.request, cancelled: reason } };
    const later = step(cancelled, { kind: 'answered', worker: 'w1', isKnown: true });
    expect(later.effects.at(-1)).toEqual({ kind: 'tell-cancelled', worker: 'w1', reason });
  });

  it.each([
    ['no worker serves it', 'unserved', null, 'no-worker', 'lost'],
    ['the broker stops', 'broker-stops', null, 'draining', 'lost'],
    ['it is cancelled', 'served', 'cancelled by user1@team1', null, 'killed'],
  ] as const)('a leg that waits where %s ends as that', (_, availability, cancelled, code, result) => {
    const leg = legOf({ kind: 'waiting', isAgain: false });
    const request = { ...leg.request, cancelled };
    expect(outcomeOf(step({ ...leg, request }, { kind: 'workers-checked', availability, now }))).toMatchObject({
      code,
      result,
    });
  });

  it('a leg’s deadline is reported as a worker without an answer, or as no free slot where no worker has the leg', () => {
    const late = { ...legOf({ kind: 'new' }).request, deadlineAt: now - deadlineGraceMs };
    const endAt = (state: LegState) => outcomeOf(step(legOf(state, { request: late }), { kind: 'deadline', now }));
    const timedOut = { result: 'timed-out', code: null };
    expect(endAt({ kind: 'sent', worker: 'w1' })).toMatchObject({
      ...timedOut,
      reason: 'its time was over, and its worker has not said how it ended',
    });
    for (const state of [asked(), { kind: 'waiting', isAgain: false } as const])
      expect(endAt(state)).toMatchObject({ ...timedOut, reason: 'no worker had a slot for it in time' });
  });

  it('the result that the worker reports is kept unchanged', () => {
    const { state } = step(legOf({ kind: 'sent', worker: 'w1' }), { kind: 'finished', outcome: finished, report });
    expect(state).toEqual({ kind: 'over', worker: 'w1', outcome: finished, report });
  });
});
