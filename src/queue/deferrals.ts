import type { Deferral, Job, JobId } from '../domain/job.ts';
import type { Log } from '../domain/log.ts';
import type { Journal, Plugins, WatchPaths } from './ports.ts';
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

/** Jobs that wait for the same files share a watch. */
interface Group {
  readonly ids: Set<JobId>;
  readonly cancel: () => void;
  isLooking: boolean;
  mustLookAgain: boolean;
}

/** The file may have gone between the look at it and the start of the watch: one more look, soon. */
const firstLookMs = 1000;

export const createDeferrals = (options: DeferralsOptions): Deferrals => {
  const { journal, transitions, plugins, watchPaths, log, wake } = options;
  const groups = new Map<string, Group>();

  const watch = (id: JobId, paths: readonly string[]): void => {
    const key = JSON.stringify(paths);
    const known = groups.get(key);
    const group = known ?? newGroup(key, paths);
    group.ids.add(id);
    if (known === undefined) groups.set(key, group);
    setTimeout(() => void look(key), firstLookMs).unref();
  };

  const newGroup = (key: string, paths: readonly string[]): Group => ({
    ids: new Set(),
    cancel: watchPaths(paths, () => void look(key)),
    isLooking: false,
    mustLookAgain: false,
  });

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

  /** Whether this job needs no watch any more. */
  const isSettled = async (id: JobId): Promise<boolean> => {
    try {
      const before = journal.get(id);
      if (before?.state !== 'queued' || before.deferral === null) return true;
      if ((await plugins.obstacle(before)) !== null) return false;
      const now = journal.get(id);
      if (now?.state !== 'queued' || now.deferral === null) return true;
      transitions.release(id);
      wake(now.request.queue);
      return true;
    } catch (thrown) {
      log.warn({ error: thrown, job: id }, 'What a deferred job waits for could not be looked at; it is tried again.');
      return false;
    }
  };

  const forget = (key: string, group: Group): void => {
    group.cancel();
    groups.delete(key);
  };

  return {
    defer: (job, deferral) => {
      transitions.defer(job, deferral);
      watch(job.id, deferral.paths);
    },
    restore: () => {
      for (const { id, deferral } of journal.deferred()) watch(id, deferral?.paths ?? []);
    },
    close: () => {
      for (const [key, group] of groups) forget(key, group);
    },
  };
};
