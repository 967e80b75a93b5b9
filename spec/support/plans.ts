import type { LaunchPlan } from '../../src/queue/ports/runner.ts';

/** A launch plan with every field; tests name only what they are about. */
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
