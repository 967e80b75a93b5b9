import { existsSync } from 'node:fs';
import { execa } from 'execa';
import { TriggerdError } from '../../domain/errors.ts';
import { awaitEnding } from './adoption.ts';
import type { Launcher } from './launcher.ts';
import { assertCanSpawn } from './shortage.ts';

/** Whether this host's services are systemd's and we may ask it for more. */
export const canStartUnits = (): boolean => existsSync('/run/systemd/system') && process.getuid?.() === 0;

/**
 * Where systemd runs: a transient unit per job, so that the job has a cgroup of its own, outside the daemon's sandbox.
 * The runner in it does this one job; how it ended is read from the job's folder, so a unit needs no pipe to us, and
 * `systemd-run --wait` only says when to read: the unit goes on without it.
 */
export const createUnitLauncher = (command: readonly [string, ...string[]]): Launcher => ({
  launch: async ({ folder, token }) => {
    assertCanSpawn();
    const result = await execa('systemd-run', [...unitOptions(token), '--', ...command, folder, token], {
      reject: false,
      stdin: 'ignore',
      cleanup: false,
      cwd: '/',
    });
    const ending = await awaitEnding(folder);
    if (ending === 'never-started' && result.failed) throw notStarted(folder, result.stderr, result);
    return ending;
  },
  close: () => undefined,
});

const notStarted = (folder: string, stderr: string, cause: unknown): TriggerdError =>
  new TriggerdError('internal', `systemd-run started no unit for ${folder}: ${stderr.slice(-500)}`, { cause });

const unitOptions = (token: string): string[] => [
  '--quiet',
  '--wait',
  '--collect',
  '--no-ask-password',
  `--unit=triggerd-job-${token}`,
  '--description=A job of triggerd',
  // One process of the job that is out of memory does not take the runner with it.
  '--property=OOMPolicy=continue',
];
