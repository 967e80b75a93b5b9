import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createProcessRunner } from '../../src/adapters/process/process-runner.ts';
import type { LaunchPlan, Runner } from '../../src/queue/ports.ts';

export const dist = join(import.meta.dirname, '../../dist');
export const runnerCommand: readonly [string, ...string[]] = [
  process.execPath,
  join(dist, 'adapters/process/runner-main.js'),
];

/** A runner of real processes, in sessions of their own; closed after the test. */
export const temporaryRunner = (): Runner => {
  const runner = createProcessRunner({ command: runnerCommand, isolation: 'session' });
  onTestFinished(() => runner.close());
  return runner;
};

export const planOf = (argv: readonly [string, ...string[]], changes: Partial<LaunchPlan> = {}): LaunchPlan => ({
  argv,
  env: { PATH: '/usr/bin:/bin' },
  cwd: '/',
  stdin: null,
  timeoutMs: null,
  graceMs: 300,
  maxOutputBytes: 1_000_000,
  context: '{}',
  ...changes,
});

export const shell = (script: string, changes: Partial<LaunchPlan> = {}): LaunchPlan =>
  planOf(['/bin/sh', '-c', script], changes);

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
