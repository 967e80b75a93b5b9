/**
 * Every change of a job's state, each in one place: first the journal, then whoever listens.
 *
 *     (new) ──begin──────────────────────────►    │           a request: it never waits
 *     (new) ──add / take────► queued ──start──► running ──finish──► finished
 *                              │ ▲ ▲               │
 *                              │ │ └──── defer ────┤   it turned out not to have run (agent lock, agent disabled)
 *                              │ ├───── rerun ─────┤   its runner died, and its plugin wants it run again
 *                              │ └───── unstart ───┘   it demonstrably never began
 *                              ├──defer / release──►   queued, passed over / looked at again
 *                              ├──satisfy──► finished    a run that is not ours has done the same
 *                              └──skip──► skipped      also by `replace`: another one takes its place
 *
 * All of them are synchronous and durable when they return, and throw `journal-failed` with nothing changed.
 *
 * Two queued jobs with one coalescing key exist only when a running job was deferred while another waited behind it;
 * both run, which is one run more than needed and keeps every promise.
 */
import type { Deferral, FinishedJob, Job, JobId, QueuedJob, RunningJob, SkippedJob } from '../domain/job.ts';
import type { Clock } from '../kit/clock.ts';
import type { Log } from '../kit/log.ts';
import type { Acceptance, DecidedFiring, Journal, NewJob } from './ports/journal.ts';

/** When and how a job has finished. */
export type JobEnd = Pick<FinishedJob, 'finishedAt' | 'startedAt' | 'result' | 'times' | 'details'>;

export type Transitions = ReturnType<typeof createTransitions>;

export const createTransitions = (journal: Journal, changes: Changes, clock: Clock) => {
  const announced = <J extends Job>(job: J): J => {
    changes.announce(job);
    return job;
  };
  const followed = (end: () => FinishedJob, follower: NewJob | undefined): FinishedJob => {
    if (follower === undefined) return announced(end());
    const [job, next] = journal.atomically(() => [end(), journal.add(follower)] as const);
    announced(next);
    return announced(job);
  };
  return {
    add: (entry: NewJob): QueuedJob => announced(journal.add(entry)),
    /** (new) → queued at the place of a queued job, which is skipped. */
    replace: (old: JobId, entry: NewJob): QueuedJob => {
      const { job, replaced } = journal.replace(old, entry);
      announced(job);
      announced(replaced);
      return job;
    },
    take: (firings: readonly DecidedFiring[]): Acceptance[] => {
      const acceptances = journal.take(firings);
      for (const each of acceptances) if (each.kind === 'queued') announced(each.job);
      return acceptances;
    },
    begin: (entry: NewJob): RunningJob => announced(journal.begin(entry)),
    start: (id: JobId): RunningJob => announced(journal.start(id, clock.now())),
    /** `follower` is a new job that comes with this end. */
    finish: (id: JobId, end: JobEnd, follower?: NewJob) => followed(() => journal.finish(id, end), follower),
    /** Of a queued job: its run was somebody else's. */
    satisfy: (id: JobId, end: JobEnd, follower?: NewJob) => followed(() => journal.satisfy(id, end), follower),
    defer: (job: Job, deferral: Omit<Deferral, 'since'>): QueuedJob =>
      announced(journal.defer(job.id, { ...deferral, since: clock.now() })),
    /** Ends a deferral. */
    release: (id: JobId): QueuedJob => announced(journal.defer(id, null)),
    unstart: (id: JobId): QueuedJob => announced(journal.unstart(id)),
    /** Back into the queue after an interruption; the attempt stays counted. */
    rerun: (id: JobId): QueuedJob => announced(journal.defer(id, null)),
    skip: (id: JobId, reason: string): SkippedJob => announced(journal.skip(id, reason, clock.now())),
  };
};

type JobListener = (job: Job) => void;

export type Changes = ReturnType<typeof createChanges>;

/** Tells whoever listens that a job has changed. What a listener throws is logged and costs nobody else anything. */
export const createChanges = (log: Log) => {
  const listeners = new Set<JobListener>();
  const byJob = new Map<JobId, Set<JobListener>>();
  const recordedListeners = new Set<(job: FinishedJob) => void>();
  const tell = <J extends Job>(listener: (job: J) => void, job: J): void => {
    try {
      listener(job);
    } catch (thrown) {
      log.error({ error: thrown, job: job.id }, 'A listener failed on a change of a job');
    }
  };
  return {
    announce: (job: Job): void => {
      for (const listener of [...listeners, ...(byJob.get(job.id) ?? [])]) tell(listener, job);
    },
    /** Of a request that ran in memory: told to those who follow it, and to those who want to know of all such. */
    recorded: (job: FinishedJob): void => {
      for (const listener of [...recordedListeners, ...(byJob.get(job.id) ?? [])]) tell(listener, job);
    },
    onRecorded: (listener: (job: FinishedJob) => void) => {
      recordedListeners.add(listener);
      return () => recordedListeners.delete(listener);
    },
    onEvery: (listener: JobListener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onJob: (id: JobId, listener: JobListener) => {
      const ofJob = byJob.get(id) ?? new Set();
      byJob.set(id, ofJob.add(listener));
      return () => {
        ofJob.delete(listener);
        if (ofJob.size === 0) byJob.delete(id);
      };
    },
  };
};
