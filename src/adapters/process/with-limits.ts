import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join, resolve } from 'node:path';
import type { JobLimits, LaunchPlan } from '../../queue/ports/runner.ts';
import { prlimit } from '../system/inherited.ts';

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

/** What a service of systemd has by default. */
const usualOpenFiles = { soft: 1024, hard: 524_288 };

/** Takes the limits of its job from a process that outlives the job, as far as this process may. */
export const liftLimits = (pid: number, { memoryBytes, openFiles, cpuMs }: JobLimits): void => {
  const options = [
    ...(memoryBytes === undefined ? [] : ['--data=unlimited']),
    ...(openFiles === undefined ? [] : [`--nofile=${openFilesFor(openFiles)}`]),
    ...(cpuMs === undefined ? [] : ['--cpu=unlimited']),
  ];
  // One by one: prlimit gives up at the first that it may not raise.
  for (const option of options)
    spawnSync(prlimit, ['--pid', String(pid), option], { stdio: 'ignore', env: {}, cwd: '/' });
};

const openFilesFor = (limit: number): string =>
  `${Math.max(limit, usualOpenFiles.soft)}:${Math.max(limit, usualOpenFiles.hard)}`;
