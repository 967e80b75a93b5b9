import { setMaxListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { execa } from 'execa';
import { TriggerdError } from '../../domain/errors.ts';
import type { JobLimits } from '../../queue/ports.ts';
import { awaitEnding } from './adoption.ts';
import type { Launcher } from './launcher.ts';
import { cpuSeconds } from './runner/with-limits.ts';
import { assertCanSpawn } from './shortage.ts';

/** Whether this host's services are systemd's and we may ask it for more. */
export const canStartUnits = (): boolean => existsSync('/run/systemd/system') && process.getuid?.() === 0;

/**
 * Where systemd runs: a transient unit per job, so that the job has a cgroup of its own, outside the daemon's sandbox.
 * The runner in it does this one job; how it ended is read from the job's folder, so a unit needs no pipe to us, and
 * `systemd-run --wait` only says when to read: the unit goes on without it.
 */
export const createUnitLauncher = (command: readonly [string, ...string[]]): Launcher => {
  const closing = new AbortController();
  // One for each running job.
  setMaxListeners(0, closing.signal);
  return {
    launch: async ({ folder, token }, limits) => {
      assertCanSpawn();
      const result = await execa('systemd-run', [...unitOptions(token, limits), '--', ...command, folder, token], {
        reject: false,
        stdin: 'ignore',
        cleanup: false,
        cwd: '/',
        cancelSignal: closing.signal,
      });
      const ending = await awaitEnding(folder);
      if (ending === 'never-started' && result.failed) throw notStarted(folder, token, result);
      return ending;
    },
    // A `systemd-run` left in the daemon's own cgroup would hold up its stop until systemd kills it.
    close: () => closing.abort(),
  };
};

const unitName = (token: string): string => `triggerd-job-${token}`;

/** systemd refused the unit, or its runner found that it could not start the job: that is in the unit's own journal. */
const notStarted = (folder: string, token: string, result: { exitCode?: number; stderr: string }): TriggerdError => {
  const why = `systemd-run ended with ${result.exitCode ?? 'a signal'}; see also journalctl -u ${unitName(token)}`;
  return new TriggerdError('internal', `Nothing was started for ${folder}: ${why}: ${result.stderr.slice(-500)}`, {
    cause: result,
  });
};

/** What the runner needs itself, in the cgroup that it shares with its job. */
const runnerBytes = 64 * 2 ** 20;
const runnerThreads = 32;

const unitOptions = (token: string, limits: JobLimits): string[] => [
  '--quiet',
  '--wait',
  '--collect',
  '--no-ask-password',
  `--unit=${unitName(token)}`,
  '--description=A job of triggerd',
  // One process of the job that is out of memory does not take the runner with it.
  '--property=OOMPolicy=continue',
  // The kernel takes the job's processes before the runner, which gives them the score of others (job-cgroup.ts).
  '--property=OOMScoreAdjust=-500',
  ...limitOptions(limits),
];

const limitOptions = ({ memoryBytes, processes, openFiles, cpuMs }: JobLimits): string[] => [
  // Without a limit of its own, swap would take what memory does not.
  ...(memoryBytes === undefined
    ? []
    : [`--property=MemoryMax=${memoryBytes + runnerBytes}`, '--property=MemorySwapMax=0']),
  ...(processes === undefined ? [] : [`--property=TasksMax=${processes + runnerThreads}`]),
  ...(openFiles === undefined ? [] : [`--property=LimitNOFILE=${openFiles}`]),
  ...(cpuMs === undefined ? [] : [`--property=LimitCPU=${cpuSeconds(cpuMs)}`]),
];
