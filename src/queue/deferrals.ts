import { TriggerdError } from '../domain/errors.ts';
import type { Deferral, Job, JobId, QueuedJob } from '../domain/job.ts';
import type { Log } from '../kit/log.ts';
import type { WatchPaths } from '../kit/watched-paths.ts';
import type { Journal } from './ports/journal.ts';
import type { Plugins } from './ports/plugins.ts';
import { createSharedWatches } from './shared-watches.ts';
import type { Transitions } from './transitions.ts';

/** Keeps an eye on what deferred jobs wait for. */
export interface Deferrals {
  /** Journals the deferral of a queued or running job, and watches its paths. */
  defer(job: Job, deferral: Omit<Deferral, 'since'>): void;
  /** Takes up the deferrals that the journal holds. */
  restore(): void;
  close(): void;
}

export interface DeferralsOptions {
  readonly journal: Journal;
  readonly transitions: Transitions;
  readonly plugins: Pick<Plugins, 'obstacle'>;
  readonly watchPaths: WatchPaths;
  readonly log: Log;
  readonly wake: (queue: string) => void;
}

export const createDeferrals = (options: DeferralsOptions): Deferrals => {
  const { journal, transitions } = options;
  const watches = createSharedWatches(options.watchPaths, (id) => isSettled(options, id));
  return {
    defer: (job, deferral) => {
      transitions.defer(job, deferral);
      watches.watch(job.id, deferral.paths);
    },
    restore: () => {
      for (const { id, deferral } of journal.deferred()) watches.watch(id, deferral?.paths ?? []);
    },
    close: () => watches.close(),
  };
};

/** Whether this job needs no watch any more: it is not deferred, or is released now. */
const isSettled = async (options: DeferralsOptions, id: JobId): Promise<boolean> => {
  try {
    const before = deferredJob(options.journal, id);
    if (before === undefined) return true;
    if (await isInTheWay(options.plugins, before)) return false;
    const now = deferredJob(options.journal, id);
    if (now === undefined) return true;
    options.transitions.release(id);
    options.wake(now.request.queue);
    return true;
  } catch (thrown) {
    const message = 'Cannot check whether a deferred job can run; retrying';
    options.log.warn({ error: thrown, job: id }, message);
    return false;
  }
};

const deferredJob = (journal: Journal, id: JobId): QueuedJob | undefined => {
  const job = journal.get(id);
  return job?.state === 'queued' && job.deferral !== null ? job : undefined;
};

/** A job whose plugin is gone is let go: its turn ends it, and says why. */
const isInTheWay = async (plugins: Pick<Plugins, 'obstacle'>, job: QueuedJob): Promise<boolean> => {
  try {
    return (await plugins.obstacle(job)) !== null;
  } catch (thrown) {
    if (thrown instanceof TriggerdError && !thrown.retryable) return false;
    throw thrown;
  }
};
