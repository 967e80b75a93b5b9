import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { WatchPaths } from '../../queue/ports.ts';

/** Looked at anyway after this long: network file systems have no events, and inotify watches can run out. */
const defaultAtMostMs = 60_000;

/**
 * Watches the folders of the paths, because lock files come and go; never polls faster than `atMostMs`. A folder that
 * does not exist is covered by the timer alone.
 */
export const createWatchPaths =
  (atMostMs = defaultAtMostMs): WatchPaths =>
  (paths, onChange) => {
    const timer = setInterval(onChange, atMostMs).unref();
    const watchers = [...new Set(paths.map((path) => dirname(path)))].flatMap((folder) =>
      watchFolder(folder, paths, onChange),
    );
    return () => {
      clearInterval(timer);
      for (const watcher of watchers) watcher.close();
    };
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
