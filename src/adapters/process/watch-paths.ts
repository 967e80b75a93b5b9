import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { WatchPaths } from '../../queue/ports.ts';

/** Looked at anyway after this long: network file systems have no events, and inotify watches can run out. */
const defaultAtMostMs = 60_000;

/** A folder of somebody else may change a thousand times a second; its paths are looked at this often at most. */
const restMs = 200;

/**
 * Watches the folders of the paths, because lock files come and go; never polls faster than `atMostMs`. A folder that
 * does not exist is covered by the timer alone.
 */
export const createWatchPaths =
  (atMostMs = defaultAtMostMs): WatchPaths =>
  (paths, onChange) => {
    const timer = setInterval(onChange, atMostMs).unref();
    const rested = withRests(onChange);
    const watchers = [...new Set(paths.map((path) => dirname(path)))].flatMap((folder) =>
      watchFolder(folder, paths, rested.call),
    );
    return () => {
      clearInterval(timer);
      rested.stop();
      for (const watcher of watchers) watcher.close();
    };
  };

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

const watchFolder = (folder: string, paths: readonly string[], onChange: () => void): FSWatcher[] => {
  const names = paths.filter((path) => dirname(path) === folder).map((path) => basename(path));
  try {
    const watcher = watch(folder, { persistent: false }, (_event, name) => {
      if (name === null || names.includes(name)) onChange();
    });
    return [watcher.on('error', () => undefined)];
  } catch {
    return [];
  }
};
