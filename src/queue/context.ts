import type PQueue from 'p-queue';
import { TriggerdError } from '../domain/errors.ts';
import type { Job, JobId } from '../domain/job.ts';
import type { Clock } from '../kit/clock.ts';
import type { Log } from '../kit/log.ts';
import type { WatchPaths } from '../kit/watched-paths.ts';
import type { Deferrals } from './deferrals.ts';
import type { Delays } from './delays.ts';
import type { InMemoryJobs, InMemoryJobsOptions, KillReason } from './in-memory/in-memory-jobs.ts';
import type { Journal } from './ports/journal.ts';
import type { JobGate, Plugins } from './ports/plugins.ts';
import type { Runner } from './ports/runner.ts';
import type { Changes, Transitions } from './transitions.ts';

/** A queue as configured. */
export interface QueueOptions {
  readonly name: string;
  /** Jobs at once; `setSlots` overrides it, and the journal remembers that. */
  readonly slots: number;
  /** Queued jobs that people and requests may have waiting here; what firings owe is not counted. */
  readonly maxQueued: number;
}

export interface HistoryOptions {
  /** Ended jobs kept, over all queues; as many requests besides. */
  readonly keep: number;
  /** How long ids of requests are remembered at most. */
  readonly idsMs: number;
  /** How long an ended job is kept at most. */
  readonly maxAgeMs: number;
  /** ms between two looks. */
  readonly every: number;
}

export interface QueuesOptions {
  readonly queues: readonly QueueOptions[];
  readonly journal: Journal;
  readonly runner: Runner;
  readonly plugins: Plugins;
  readonly watchPaths: WatchPaths;
  readonly clock: Clock;
  readonly log: Log;
  readonly history: HistoryOptions;
  /** Starts of one job at most: one that takes its runner down each time is given up. */
  readonly maxAttempts: number;
  /** Without it plugins alone say what is in the way of a job. */
  readonly gate?: JobGate;
  /** What requests to persistent plugins need; without it they are jobs as any other. */
  readonly persistent?: Pick<InMemoryJobsOptions, 'pool' | 'openOutput' | 'reader'>;
}

/** A queue while the daemon runs. */
export interface NamedQueue extends QueueOptions {
  /** False for one that is gone from the configuration: its jobs run to their end, and it takes no new one. */
  readonly isConfigured: boolean;
  /** Schedules tasks, not jobs; see scheduler.ts. Its concurrency is `size` less what running jobs take beyond one slot each. */
  readonly scheduler: PQueue;
  /** Slots that there are. */
  size: number;
  /** Slots that running jobs take beyond one each. */
  extra: number;
  /** Ends when the last one who was choosing a job has chosen. */
  choosing: Promise<void>;
  isPaused: boolean;
  /** How many wait for this queue to run empty; it takes no new job meanwhile. */
  drains: number;
  /** Called when the queue may take jobs again that it would not have taken before. */
  readonly openings: Set<() => void>;
  /** What this queue needs is away; see backoff.ts. Undefined while all is well. */
  backoff: Backoff | undefined;
}

export interface Backoff {
  /** Starts that have failed one after the other. */
  readonly failures: number;
  /** Pending while the queue backs off. */
  readonly timer: NodeJS.Timeout | undefined;
}

/** What the parts of this room share. */
export interface QueueContext extends Omit<QueuesOptions, 'queues' | 'persistent'> {
  readonly queues: ReadonlyMap<string, NamedQueue>;
  readonly changes: Changes;
  readonly transitions: Transitions;
  readonly deferrals: Deferrals;
  readonly delays: Delays;
  /** Ends queued jobs that wait in vain; see delays.ts. */
  readonly skipHopeless: () => void;
  /** Jobs that are running for the journal and not handed to the runner yet; `kill` marks them. */
  readonly preparing: Map<JobId, { isKilled: boolean }>;
  /** Jobs that are running for the journal, and whose folder is being looked at; `kill` marks them. */
  readonly adopting: Map<JobId, { isKilled: boolean }>;
  /** Requests that run in memory; undefined where there are no persistent plugins. */
  readonly inMemory: InMemoryJobs | undefined;
  /** Why a running job is being ended, by those who gave a reason. */
  readonly killReasons: Map<JobId, KillReason>;
  /** Makes sure that a task looks at the queue: something may have become runnable. */
  wake(queue: string): void;
  phase: 'new' | 'running' | 'stopped';
}

/** Throws `queue-not-found`. */
export const queueNamed = (context: QueueContext, name: string): NamedQueue => {
  const queue = context.queues.get(name);
  if (queue !== undefined) return queue;
  throw new TriggerdError('queue-not-found', `there is no queue “${name}”`, {
    details: { queue: name, queues: [...context.queues.keys()] },
  });
};

/** Throws `job-not-found`. */
export const jobWithId = (context: QueueContext, id: JobId): Job => {
  const job = findJob(context, id);
  if (job !== undefined) return job;
  throw new TriggerdError('job-not-found', `there is no job ${id}`, { details: { id } });
};

export const findJob = ({ inMemory, journal }: QueueContext, id: JobId): Job | undefined =>
  inMemory?.find(id)?.job ?? journal.get(id);

export const wrongState = (job: Job, message: string): TriggerdError =>
  new TriggerdError('job-state', `job ${job.id} is ${job.state}: ${message}`, {
    details: { id: job.id, state: job.state },
  });
