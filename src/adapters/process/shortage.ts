import { closeSync, openSync } from 'node:fs';

/** What is short now and may not be in a moment: descriptors, processes, memory, disk. */
const shortages = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM', 'ENOSPC', 'EDQUOT']);

export const isShortage = (thrown: unknown): boolean => {
  if (!(thrown instanceof Error)) return false;
  return ('code' in thrown && shortages.has(String(thrown.code))) || isShortage(thrown.cause);
};

/** Pipes for stdin and stdout, and what `spawn` itself needs for a moment. */
const neededForSpawn = 12;

/**
 * Throws EMFILE when there are too few descriptors to start a process: execa brings the whole daemon down then, because
 * Node gives it a child without streams, and the child's `error` event finds no listener.
 */
export const assertCanSpawn = (): void => {
  const opened: number[] = [];
  try {
    while (opened.length < neededForSpawn) opened.push(openSync('/dev/null', 'r'));
  } finally {
    opened.forEach(closeSync);
  }
};
