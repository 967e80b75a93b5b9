/** `trigger fire --wait`: follows a firing's stages until every target has ended. */
import type { FiredView, FiringView, OutcomeView } from '../../api/contract/firings.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { endedWell, isFinal } from '../../domain/outcome.ts';
import { formatDuration } from '../../kit/duration.ts';
import { widthOf } from '../../kit/width.ts';
import { painter } from '../render/color.ts';
import { colorOf, renderOutcomeLine, summarize } from '../render/outcome.ts';
import { Interrupted } from './interruption.ts';
import { type Progress, startProgress } from './progress.ts';
import { type Condition, onlyFailures } from './reply-filter.ts';
import { print, type Session } from './session.ts';
import { throughRestarts, withTimeLimit } from './through-restarts.ts';

const remoteFailedExitCode = 4;

type Outcomes = Map<string, OutcomeView>;

export interface FollowOptions {
  /** ms; undefined: until the end. */
  readonly timeoutMs?: number | undefined;
  /** A line for every node, also on a terminal and of many. */
  readonly showsAll?: boolean | undefined;
  /** Which nodes are shown; of no meaning for the exit code. */
  readonly filter?: Condition | undefined;
}

/** Returns the exit code. */
export const followFiring = async (
  session: Session,
  fired: FiredView,
  { timeoutMs, showsAll = false, filter }: FollowOptions,
): Promise<number> => {
  const isShown = filter ?? whatToShow(session, fired, showsAll);
  if (!session.json) await session.terminal.out(`${fired.id}\n`);
  const outcomes: Outcomes = new Map();
  const progress = startProgress(session.terminal, (elapsedS) => progressLine(fired, outcomes, elapsedS));
  try {
    await followToTheEnd(session, fired, { outcomes, progress, isShown }, timeoutMs);
  } catch (error) {
    progress.stop();
    if (isTimedOut(error)) await printWhole(session, fired, outcomes, filter);
    if (error instanceof Interrupted)
      session.terminal.err(`trigger: the firing continues; \`trigger status ${fired.id}\` shows its outcomes\n`);
    throw error;
  }
  progress.stop();
  const isSummed = isShown !== undefined && session.terminal.outIsTerminal && !session.json;
  if (isSummed) await session.terminal.out(`${summarize([...outcomes.values()])}\n`);
  await printWhole(session, fired, outcomes, filter);
  return [...outcomes.values()].every(endedWell) ? 0 : remoteFailedExitCode;
};

/** Undefined: everything. */
const whatToShow = ({ terminal }: Session, { targets }: FiredView, all: boolean): Condition<OutcomeView> | undefined =>
  onlyFailures({ all, onTerminal: terminal.outIsTerminal }, targets.length) ? hasFailed : undefined;

const hasFailed: Condition<OutcomeView> = (outcome) => !endedWell(outcome);

/** With `--json`: what `status` would show, and no less when the daemon can't tell any more. */
const printWhole = async (
  session: Session,
  fired: FiredView,
  heard: Outcomes,
  filter: Condition = () => true,
): Promise<void> => {
  if (!session.json) return;
  const untold = { outcomes: Object.fromEntries(heard) };
  const view = await session.client.request<FiringView>(`/v1/firings/${fired.id}`).catch(() => untold);
  const outcomes = Object.fromEntries(Object.entries(view.outcomes).filter(([, outcome]) => filter(outcome)));
  await print(session, { ...fired, ...view, outcomes }, () => '');
};

const isTimedOut = (error: unknown): boolean => error instanceof TriggerdError && error.code === 'timed-out';

interface Following {
  /** What has been heard; it grows. */
  readonly outcomes: Outcomes;
  readonly progress: Progress;
  readonly isShown: Condition<OutcomeView> | undefined;
}

const followToTheEnd = async (
  session: Session,
  fired: FiredView,
  { outcomes, progress, isShown }: Following,
  timeoutMs: number | undefined,
): Promise<void> => {
  const nodeWidth = Math.max(...fired.targets.map(widthOf));
  const paint = painter(session.terminal.color);
  const take = async (outcome: OutcomeView): Promise<void> => {
    const before = outcomes.get(outcome.node);
    outcomes.set(outcome.node, outcome);
    if (session.json || !isFinal(outcome.stage) || (before !== undefined && isFinal(before.stage))) return;
    if (isShown?.(outcome) === false) return;
    progress.clear();
    await session.terminal.out(`${paint(colorOf(outcome), renderOutcomeLine(outcome, nodeWidth))}\n`);
  };
  // The stream begins with the present state, so that losing it costs nothing but a new connection.
  const read = (signal: AbortSignal) => async (heard: () => void) => {
    for await (const outcome of await session.client.lines<OutcomeView>(`/v1/firings/${fired.id}/follow`, { signal })) {
      heard();
      await take(outcome);
    }
    if (openTargets(fired, outcomes).length > 0)
      throw new TriggerdError('daemon-unreachable', 'the daemon closed its answer before the firing had ended');
  };
  await withTimeLimit(
    session,
    timeoutMs,
    (signal) => throughRestarts(session, read(signal), { signal, heardBefore: true }),
    () => timedOut(fired, openTargets(fired, outcomes), timeoutMs ?? 0),
  );
};

const openTargets = (fired: FiredView, outcomes: Outcomes): string[] =>
  fired.targets.filter((target) => !isFinal(outcomes.get(target)?.stage ?? 'owed'));

const timedOut = (fired: FiredView, open: readonly string[], timeoutMs: number): TriggerdError =>
  new TriggerdError(
    'timed-out',
    `firing ${fired.id} has not ended after ${formatDuration(timeoutMs)} on ${open.join(', ')}`,
    { details: { firing: fired.id, open } },
  );

/** `2/3 finished · lb01.example.com running · 4 s`. */
const progressLine = (fired: FiredView, outcomes: Outcomes, elapsedS: number): string => {
  const open = openTargets(fired, outcomes);
  const next = open.map((node) => `${node} ${outcomes.get(node)?.stage ?? 'owed'}`);
  const shown = next.length > 2 ? [...next.slice(0, 2), `${next.length - 2} more`] : next;
  return [`${fired.targets.length - open.length}/${fired.targets.length} ended`, ...shown, `${elapsedS} s`].join(' · ');
};
