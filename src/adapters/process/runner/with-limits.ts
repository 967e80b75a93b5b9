import { accessSync, constants } from 'node:fs';
import { join, resolve } from 'node:path';
import type { JobLimits, LaunchPlan } from '../../../queue/ports.ts';
import { prlimit } from '../../system/inherited.ts';

/**
 * Where there is no cgroup: the plan with its limits as rlimits, each of one process. The number of processes counts all of the user's, and
 * does not bind root, so root gets none. A plan whose program can't be started stays as it is, so that it says why. Without a limit of open
 * files the soft one is `givenOpenFiles`, where that is not what this process has anyway.
 */
export const withLimits = <P extends Limited>(plan: P, givenOpenFiles?: number): P => {
  const options = optionsOf(plan.limits ?? {}, givenOpenFiles);
  if (options.length === 0 || !isExecutable(plan)) return plan;
  return { ...plan, argv: [prlimit, ...options, '--', ...plan.argv] };
};

type Limited = Pick<LaunchPlan, 'argv' | 'env' | 'cwd' | 'limits'>;

const optionsOf = ({ memoryBytes, processes, openFiles, cpuMs }: JobLimits, given: number | undefined): string[] => [
  // Address space would be no measure: Node and Java reserve far more than they use.
  ...(memoryBytes === undefined ? [] : [`--data=${memoryBytes}`]),
  ...(processes === undefined || process.getuid?.() === 0 ? [] : [`--nproc=${processes}`]),
  ...(openFiles !== undefined ? [`--nofile=${openFiles}`] : given !== undefined ? [`--nofile=${given}:`] : []),
  ...(cpuMs === undefined ? [] : [`--cpu=${cpuSeconds(cpuMs)}`]),
];

/** SIGXCPU first, which says why; KILL for what ignores that. */
export const cpuSeconds = (ms: number): string => `${Math.ceil(ms / 1000)}:${Math.ceil(ms / 1000) + 5}`;

const isExecutable = ({ argv: [program], env, cwd }: Limited): boolean => {
  if (program.includes('/')) return mayExecute(resolve(cwd, program));
  return (env['PATH'] ?? '').split(':').some((folder) => mayExecute(join(folder, program)));
};

const mayExecute = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};
