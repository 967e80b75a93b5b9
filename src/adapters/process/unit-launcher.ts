import { setMaxListeners } from 'node:events';
import { execa } from 'execa';
import { TriggerdError } from '../../domain/errors.ts';
import type { JobLimits } from '../../queue/ports/runner.ts';
import { openFilesOption } from '../system/inherited.ts';
import { awaitExit } from './adoption.ts';
import type { Launcher } from './launcher.ts';
import { limitProperties, unitCommand } from './own-unit.ts';
import { assertCanSpawn } from './shortage.ts';

/**
 * Where systemd runs: a transient unit per job, so that the job has a cgroup of its own, outside the daemon's sandbox.
 * The runner in it does this one job; how it ended is read from the job's folder, so a unit needs no pipe to us, and
 * `systemd-run --wait` only says when to read: the unit continues without it.
 */
export const createUnitLauncher = (command: readonly [string, ...string[]]): Launcher => {
  const closing = new AbortController();
  let openFiles: Promise<number | undefined> | undefined;
  // One for each running job.
  setMaxListeners(0, closing.signal);
  return {
    launch: async ({ folder, token }, limits) => {
      assertCanSpawn();
      openFiles ??= defaultOpenFiles();
      const option = limits.openFiles === undefined ? openFilesOption(await openFiles) : [];
      const [systemdRun, ...words] = unitCommand([...command, ...option, folder, token], unitOf(token, limits));
      const result = await execa(systemdRun, words, {
        reject: false,
        stdin: 'ignore',
        cleanup: false,
        cwd: '/',
        cancelSignal: closing.signal,
      });
      const ending = await awaitExit(folder);
      if (ending === 'never-started' && result.failed) throw notStarted(folder, token, result);
      return ending;
    },
    // A `systemd-run` left in the daemon's own cgroup would hold up its stop until systemd kills it.
    close: () => closing.abort(),
  };
};

/** What a unit without a limit of its own gets; Node raises it in the runner, which needs no more either. Undefined: not known. */
const defaultOpenFiles = async (): Promise<number | undefined> => {
  const { stdout } = await execa('systemctl', ['show', '--property=DefaultLimitNOFILESoft', '--value'], {
    cwd: '/',
    stdin: 'ignore',
    reject: false,
    timeout: 10_000,
  });
  return /^\d+$/.test(stdout ?? '') ? Number(stdout) : undefined;
};

const unitName = (token: string): string => `triggerd-job-${token}`;

/** systemd refused the unit, or its runner found that it could not start the job: that is in the unit's own journal. */
const notStarted = (folder: string, token: string, result: { exitCode?: number; stderr: string }): TriggerdError => {
  const why = `systemd-run ended with ${result.exitCode ?? 'a signal'}; see also journalctl -u ${unitName(token)}`;
  return new TriggerdError('internal', `nothing was started for ${folder}: ${why}: ${result.stderr.slice(-500)}`, {
    cause: result,
  });
};

/** What the runner needs itself, in the cgroup that it shares with its job. */
const runner = { bytes: 64 * 2 ** 20, threads: 32 };

const unitOf = (token: string, limits: JobLimits) => ({
  name: unitName(token),
  description: 'A job of triggerd',
  properties: [
    // One process of the job that is out of memory does not take the runner with it.
    'OOMPolicy=continue',
    // The kernel takes the job's processes before the runner, which gives them the score of others.
    'OOMScoreAdjust=-500',
    ...limitProperties(limits, runner),
  ],
});
