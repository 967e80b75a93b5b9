/**
 * The view of a queue that `trigger tsp` has: only the jobs that it has added, numbered from 0. The journal keeps the next
 * number beside the jobs; `restart` begins anew, as `tsp -K` does, and leaves what runs alone.
 */
import type { JobRequest, ListedJob, QueuedJob, TspFacts } from '../../domain/job.ts';
import { type QueueContext, queueNamed } from '../context.ts';
import { setSize } from '../slots-taken.ts';
import { add } from './add.ts';
import { list } from './look.ts';

/** Jobs of a state that are looked at. */
const most = 1000;

interface TspState {
  readonly epoch: number;
  readonly next: number;
  /** Jobs that had ended by then are not shown. ms. */
  readonly clearedAt: number;
  /** Numbers of ended jobs that were removed from the list. */
  readonly hidden?: readonly number[];
}

export type TspJob = ListedJob & { readonly request: { readonly tsp: TspFacts } };

export interface TspOrder extends Pick<TspFacts, 'command' | 'stored' | 'kept'> {
  /** Runs only after that one has succeeded: a number, or the job before. */
  readonly needs?: number | 'previous' | undefined;
}

/** Adds a job; one that needs a job that is not there is skipped. Throws as `add` does. */
export const addTsp = (
  context: QueueContext,
  request: JobRequest,
  { needs, ...order }: TspOrder,
): QueuedJob | ListedJob =>
  context.journal.atomically(() => {
    const state = stateOf(context, request.queue);
    const { epoch, next } = state;
    const needed = neededBy(context, request.queue, needs);
    const number = needs === undefined ? null : numberShown(context, request.queue, needs, needed);
    const ifOk = needed === undefined ? {} : { ifOk: [needed.id] };
    const tsp: TspFacts = { ...order, epoch, number: next, needs: number };
    const job = add(context, { ...request, ...ifOk, tsp });
    save(context, request.queue, { ...state, next: next + 1 });
    if (typeof needs !== 'number' || needed !== undefined) return job;
    return context.transitions.skip(job.id, `job ${needs} is not there`);
  });

/** For `-d` the command before counts, also where the list does not show it (any more). */
const neededBy = (context: QueueContext, queue: string, needs: TspOrder['needs']): TspJob | undefined => {
  if (needs === undefined) return undefined;
  if (needs === 'previous') return lastOf(ofThisEpoch(context, queue).filter((job) => !wasRemoved(job)));
  return listTsp(context, queue).find((job) => job.request.tsp.number === needs);
};

/** −1: the list does not show it. */
const numberShown = (
  context: QueueContext,
  queue: string,
  needs: number | 'previous',
  needed: TspJob | undefined,
): number => {
  if (needs !== 'previous') return needs;
  const isShown = listTsp(context, queue).some(({ id }) => id === needed?.id);
  return isShown && needed !== undefined ? needed.request.tsp.number : -1;
};

const lastOf = (jobs: readonly TspJob[]): TspJob | undefined =>
  jobs.reduce<TspJob | undefined>(
    (last, job) => (last === undefined || job.request.tsp.number > last.request.tsp.number ? job : last),
    undefined,
  );

/** Running and queued ones in their order, then those that have ended, the oldest first. Throws `queue-not-found`. */
export const listTsp = (context: QueueContext, name: string): TspJob[] => {
  const { clearedAt, hidden = [] } = stateOf(context, queueNamed(context, name).name);
  const isShown = (job: TspJob): boolean => {
    const { tsp } = job.request;
    if (hidden.includes(tsp.number)) return false;
    if (job.state !== 'finished' && job.state !== 'skipped') return true;
    return tsp.kept && job.finishedAt > clearedAt && !wasRemoved(job);
  };
  const jobs = ofThisEpoch(context, name).filter(isShown);
  return [...jobs.filter((job) => !isOver(job)), ...jobs.filter(isOver)];
};

const ofThisEpoch = (context: QueueContext, queue: string): TspJob[] => {
  const { epoch } = stateOf(context, queue);
  return list(context, { queue, endedLimit: most, queuedLimit: most }).filter(
    (job): job is TspJob => job.request.tsp?.epoch === epoch,
  );
};

const wasRemoved = (job: TspJob): boolean => job.state === 'skipped' && job.reason === 'removed';

const isOver = ({ state }: ListedJob): boolean => state === 'finished' || state === 'skipped';

/** Shows none of those that have ended any more. */
export const clearTsp = (context: QueueContext, name: string): void => {
  const { name: queue } = queueNamed(context, name);
  save(context, queue, { ...stateOf(context, queue), clearedAt: context.clock.now() });
};

/** Shows an ended job no more. */
export const hideTsp = (context: QueueContext, name: string, number: number): void => {
  const state = stateOf(context, queueNamed(context, name).name);
  save(context, name, { ...state, hidden: [...(state.hidden ?? []), number].slice(-most) });
};

/** Takes the queued ones out, counts from 0 again, and sets the slots: as configured if undefined. */
export const restartTsp = (context: QueueContext, name: string, slots: number | undefined): void => {
  const queue = queueNamed(context, name);
  for (const { id, state } of listTsp(context, name)) if (state === 'queued') context.transitions.skip(id, 'removed');
  const { epoch } = stateOf(context, name);
  save(context, name, { epoch: epoch + 1, next: 0, clearedAt: 0 });
  context.journal.saveQueueSettings(name, { ...context.journal.queueSettings(name), slots: slots ?? null });
  setSize(queue, slots ?? queue.slots);
  context.wake(name);
};

const stateOf = ({ journal }: QueueContext, queue: string): TspState => {
  const note = journal.note(`tsp:${queue}`);
  return note === undefined ? { epoch: 0, next: 0, clearedAt: 0 } : (JSON.parse(note) as TspState);
};

const save = ({ journal }: QueueContext, queue: string, state: TspState): void =>
  journal.saveNote(`tsp:${queue}`, JSON.stringify(state));
