/** Wakes us when one of the files changes or goes away; also after `atMostMs`. Returns the canceller. */
export type WatchPaths = (paths: readonly string[], onChange: () => void) => () => void;
