import type { JobId } from '../domain/job.ts';
import type { WatchPaths } from '../kit/watched-paths.ts';

/** Jobs that wait for the same files share a watch, and are looked at one after the other when it tells of a change. */
export interface SharedWatches {
  watch(id: JobId, paths: readonly string[]): void;
  close(): void;
}

interface Group {
  readonly ids: Set<JobId>;
  readonly cancel: () => void;
  isLooking: boolean;
  mustLookAgain: boolean;
}

/** The file may have gone between the look at it and the start of the watch: one more look, soon. */
const firstLookMs = 1000;

/** `isSettled` looks at a job and says whether it needs no watch any more; it does not throw. */
export const createSharedWatches = (
  watchPaths: WatchPaths,
  isSettled: (id: JobId) => Promise<boolean>,
): SharedWatches => {
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
    watch: (id, paths) => {
      const key = JSON.stringify(paths);
      (groups.get(key) ?? newGroup(key, paths)).ids.add(id);
      setTimeout(() => void look(key), firstLookMs).unref();
    },
    close: () => {
      for (const [key, group] of groups) forget(key, group);
    },
  };
};
