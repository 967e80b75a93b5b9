import { TriggerdError } from '../domain/errors.ts';
import type { Deferral, Job, JobId, QueuedJob } from '../domain/job.ts';
import type { Log } from '../kit/log.ts';
import type { WatchPaths } from '../kit/watched-paths.ts';
import type { Journal } from './ports/journal.ts';
import type { Plugins } from './ports/plugins.ts';
import type { Transitions } from './transitions.ts';

interface DeferralsOptions {
  readonly journal: Journal;
  readonly transitions: Transitions;
  readonly plugins: Pick<Plugins, 'obstacle'>;
  readonly watchPaths: WatchPaths;
  readonly log: Log;
  readonly wake: (queue: string) => void;
}

export type Deferrals = ReturnType<typeof createDeferrals>;

/** Keeps an eye on what deferred jobs wait for. */
export const createDeferrals = (options: DeferralsOptions) => {
  const { journal, transitions } = options;
  const watches = createSharedWatches(options.watchPaths, (id) => isSettled(options, id));
  return {
    /** Journals the deferral of a queued or running job, and watches its paths. */
    defer: (job: Job, deferral: Omit<Deferral, 'since'>): void => {
      transitions.defer(job, deferral);
      watches.watch(job.id, deferral.paths);
    },
    /** Takes up the deferrals that the journal holds. */
    restore: (): void => {
      for (const { id, deferral } of journal.deferred()) watches.watch(id, deferral?.paths ?? []);
    },
    close: (): void => watches.close(),
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

interface Group {
  readonly ids: Set<JobId>;
  readonly cancel: () => void;
  isLooking: boolean;
  mustLookAgain: boolean;
}

/** The file may have gone between the look at it and the start of the watch: one more look, soon. */
const firstLookMs = 1000;

/**
 * Jobs that wait for the same files share a watch, and are looked at one after the other when it tells of a change.
 * `isSettled` looks at a job and says whether it needs no watch any more; it does not throw.
 */
const createSharedWatches = (watchPaths: WatchPaths, isSettled: (id: JobId) => Promise<boolean>) => {
  const groups = new Map<string, Group>();

  const look = async (key: string): Promise<void> => {
    const group = groups.get(key);
    if (group === undefined) return;
    group.mustLookAgain = true;
    if (group.isLooking) return;
    group.isLooking = true;
    while (group.mustLookAgain && groups.has(key)) {
      group.mustLookAgain = false;
      for (const id of group.ids) if (await isSettled(id)) group.ids.delete(id);
    }
    group.isLooking = false;
    if (group.ids.size === 0) forget(key, group);
  };
  const forget = (key: string, group: Group): void => {
    group.cancel();
    groups.delete(key);
  };
  const newGroup = (key: string, paths: readonly string[]): Group => {
    const cancel = watchPaths(paths, () => void look(key));
    const group = { ids: new Set<JobId>(), cancel, isLooking: false, mustLookAgain: false };
    groups.set(key, group);
    return group;
  };

  return {
    watch: (id: JobId, paths: readonly string[]): void => {
      const key = JSON.stringify(paths);
      (groups.get(key) ?? newGroup(key, paths)).ids.add(id);
      setTimeout(() => void look(key), firstLookMs).unref();
    },
    close: (): void => {
      for (const [key, group] of groups) forget(key, group);
    },
  };
};
