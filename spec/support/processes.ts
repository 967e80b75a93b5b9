import { readdirSync, readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { createProcessRunner } from '../../src/adapters/process/process-runner.ts';
import type { Runner } from '../../src/queue/ports/runner.ts';

import { runnerCommand } from './runner-command.ts';

/** A runner of real processes, in sessions of their own; closed after the test. */
export const temporaryRunner = (): Runner => {
  const runner = createProcessRunner({ command: runnerCommand, isolation: 'session' });
  onTestFinished(() => runner.close());
  return runner;
};

/** Live processes whose command line holds `text`. */
export const processesWith = (text: string): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && commandLine(pid).includes(text));

const commandLine = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '';
  }
};

/** What the process holds open, and its dead children. */
export const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
export const zombiesOf = (parent: number): number =>
  readdirSync('/proc').filter((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const [state, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return state === 'Z' && Number(ppid) === parent;
    } catch {
      return false;
    }
  }).length;
