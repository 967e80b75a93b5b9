import { watch } from 'node:fs';

/** Hears which entry of a folder has changed; null: any may have. */
export type OnEntry = (name: string | null) => void;

export interface WatchTimes {
  /** `null` is said this often in any case: network file systems tell nothing, and watches can run out. ms. */
  readonly everyMs: number;
  /** The same where the folder cannot be watched. ms. */
  readonly unwatchedMs?: number;
}

/** Watches a folder until the returned function is called. Keeps no process alive. */
export const watchFolder = (
  folder: string,
  onEntry: OnEntry,
  { everyMs, unwatchedMs = everyMs }: WatchTimes,
): (() => void) => {
  const stop = watchEntries(folder, onEntry);
  const timer = setInterval(() => onEntry(null), stop === undefined ? unwatchedMs : everyMs).unref();
  return () => {
    clearInterval(timer);
    stop?.();
  };
};

/** Without a timer; undefined where the folder cannot be watched. */
export const watchEntries = (folder: string, onEntry: OnEntry): (() => void) | undefined => {
  try {
    const watcher = watch(folder, { persistent: false }, (_event, name) => onEntry(name));
    watcher.on('error', () => onEntry(null));
    return () => watcher.close();
  } catch {
    return undefined;
  }
};
