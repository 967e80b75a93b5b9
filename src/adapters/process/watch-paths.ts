import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { watchEntries } from '../../kit/watch-folder.ts';
import type { WatchPaths } from '../../kit/watched-paths.ts';
import { withPatience } from '../files/patience.ts';

/** Looked at anyway after this long: network file systems have no events, and inotify watches can run out. */
const defaultAtMostMs = 60_000;

/** A folder of somebody else may change a thousand times a second; its paths are looked at this often at most. */
const restMs = 200;

/**
 * Watches the folders of the paths, because lock files come and go; never polls faster than `atMostMs`. A folder that
 * does not exist, or does not answer, is covered by the timer alone. Calls once when a watch begins: something may have changed by then.
 */
export const createWatchPaths =
  (atMostMs = defaultAtMostMs): WatchPaths =>
  (paths, onChange) => {
    const timer = setInterval(onChange, atMostMs).unref();
    const rested = withRests(onChange);
    const stops: (() => void)[] = [];
    let isStopped = false;
    const begin = async (folder: string): Promise<void> => {
      if (!(await answers(folder)) || isStopped) return;
      const names = paths.filter((path) => dirname(path) === folder).map((path) => basename(path));
      const stop = watchEntries(folder, (name) => (name === null || names.includes(name)) && rested.call());
      if (stop !== undefined) stops.push(stop);
      rested.call();
    };
    for (const folder of new Set(paths.map((path) => dirname(path)))) void begin(folder);
    return () => {
      isStopped = true;
      clearInterval(timer);
      rested.stop();
      for (const stop of stops) stop();
    };
  };

/** To begin a watch is a call that all others wait for, so we look first whether the folder is there and answers. */
const answers = (folder: string): Promise<boolean> =>
  withPatience(() => stat(folder)).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** Calls at once, then at most once a rest; the last change is never left out. */
const withRests = (onChange: () => void) => {
  let rest: NodeJS.Timeout | undefined;
  let isDue = false;
  const call = (): void => {
    isDue = rest !== undefined;
    if (isDue) return;
    rest = setTimeout(() => {
      rest = undefined;
      if (isDue) call();
    }, restMs).unref();
    onChange();
  };
  return { call, stop: () => clearTimeout(rest) };
};
