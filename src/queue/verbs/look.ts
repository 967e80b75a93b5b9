import { type FinishedJob, hasEnded, type Job, type JobId, type ListedJob, type SkippedJob } from '../../domain/job.ts';
import type { RequestRun } from '../../domain/request.ts';
import { unlessAborted } from '../../kit/unless-aborted.ts';
import { jobWithId, type QueueContext } from '../context.ts';
import type { InMemoryJob } from '../in-memory/in-memory-jobs.ts';
import { readRecorded } from '../in-memory/in-memory-output.ts';
import type { JobFilter } from '../ports/journal.ts';
import type { OutputReading, OutputSink } from '../ports/output-reader.ts';

export interface QueueSummary {
  readonly name: string;
  readonly slots: number;
  readonly paused: boolean;
  readonly draining: boolean;
  readonly queued: number;
  readonly running: number;
  readonly deferred: number;
}

export interface KeptOutput {
  /** What is there, and then what comes. */
  read(sink: OutputSink): OutputReading;
  /** Resolves when nothing more comes. */
  readonly over: Promise<unknown>;
}

/** What the journal lists, and at their places the requests that run in memory or are not in the journal yet. */
export const list = ({ journal, inMemory }: QueueContext, filter: JobFilter): ListedJob[] => {
  const listedInMemory = (inMemory?.list(filter.queue) ?? []).map(listed).filter((job) => isWanted(job, filter));
  const listedJobs = journal.list(filter);
  if (listedInMemory.length === 0) return listedJobs;
  const all = [...listedJobs, ...listedInMemory];
  return filter.limit === undefined
    ? newestEnded(all.sort(byStage), filter.endedLimit)
    : all.sort(byId(filter)).slice(0, filter.limit);
};

/** Ended ones come first, oldest first. */
const newestEnded = (jobs: readonly ListedJob[], limit: number | undefined): ListedJob[] => {
  const ended = jobs.filter((job) => stageOf(job) === 0).length;
  return jobs.slice(Math.max(0, ended - (limit ?? ended)));
};

const listed = ({ job }: InMemoryJob): ListedJob => {
  const { argv: _argv, args: _args, env: _env, payload: _payload, ...request } = job.request;
  return { ...job, request };
};

const isWanted = ({ state, id }: ListedJob, { states, limit, afterId, newestFirst = false }: JobFilter): boolean => {
  if (states !== undefined && !states.includes(state)) return false;
  if (limit === undefined || afterId === undefined) return true;
  return newestFirst ? id < afterId : id > afterId;
};

const byId =
  ({ newestFirst = false }: JobFilter) =>
  (a: ListedJob, b: ListedJob): number =>
    newestFirst ? b.id - a.id : a.id - b.id;

/** Ended, running, queued; the sort is stable, so queued ones stay in their order. */
const byStage = (a: ListedJob, b: ListedJob): number => stageOf(a) - stageOf(b) || timeOf(a) - timeOf(b);

const stageOf = ({ state }: ListedJob): number => (state === 'queued' ? 2 : state === 'running' ? 1 : 0);

const timeOf = (job: ListedJob): number =>
  job.state === 'queued' ? 0 : job.state === 'running' ? job.startedAt : job.finishedAt;

/** One line per queue, in the order of the configuration; then those that are gone from it and have jobs. */
export const summary = (context: QueueContext): QueueSummary[] => {
  const deferred = context.journal.deferred();
  return [...context.queues.values()].map(({ name, size, isPaused, drains }) => ({
    name,
    slots: size,
    paused: isPaused,
    draining: drains > 0,
    queued: context.journal.count(name, 'queued'),
    running: context.journal.count(name, 'running') + runningInMemory(context, name),
    deferred: deferred.filter(({ request }) => request.queue === name).length,
  }));
};

const runningInMemory = ({ inMemory }: QueueContext, name: string): number =>
  (inMemory?.list(name) ?? []).filter(({ job }) => job.state === 'running').length;

/** Resolves with the job once it has ended; rejects with the signal's reason when that gives up. */
export const waitFor = async (
  context: QueueContext,
  id: JobId,
  signal: AbortSignal,
): Promise<FinishedJob | SkippedJob> => {
  const job = jobWithId(context, id);
  let unsubscribe: (() => void) | undefined;
  const ended = new Promise<FinishedJob | SkippedJob>((resolve) => {
    const look = (now: Job): void => (hasEnded(now) ? resolve(now) : undefined);
    unsubscribe = context.changes.onJob(id, look);
    look(job);
  });
  const giveUp = (): never => {
    throw signal.reason;
  };
  return unlessAborted(ended, signal, giveUp).finally(unsubscribe);
};

/** Of a request to a persistent plugin, in memory or in the journal. */
export const keptOutput = ({ inMemory, journal }: QueueContext, id: JobId): KeptOutput | undefined => {
  const found = inMemory?.find(id);
  if (found !== undefined) return found;
  const recorded = journal.recordedOutput(id);
  return recorded && { over: Promise.resolve(), read: (sink) => readRecorded(recorded, sink) };
};

/** A request that is in memory: it runs, or is not in the journal yet. */
export const findRun = ({ inMemory }: QueueContext, run: RequestRun): InMemoryJob | undefined => inMemory?.findRun(run);

/** Calls back after every change of a job's state, once it is in the journal. Returns the unsubscriber. */
export const onChange = ({ changes }: QueueContext, listener: (job: Job) => void): (() => void) =>
  changes.onEvery(listener);

/** Calls back for each request that ran in memory, once it is in the journal: `onChange` does not. Returns the unsubscriber. */
export const onRecorded = ({ changes }: QueueContext, listener: (job: FinishedJob) => void): (() => void) =>
  changes.onRecorded(listener);
