import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { TriggerdError } from '../../domain/errors.ts';
import type { LaunchPlan, Runner } from '../../queue/ports/runner.ts';
import { isMissing } from '../system/is-missing.ts';
import { awaitExit } from './adoption.ts';
import { jobFile, type Order, planFile, prepareFolder, readClaim } from './job-files.ts';
import type { Launcher } from './launcher.ts';
import { canStartUnits } from './own-unit.ts';
import { isAlive } from './process-identity.ts';
import { createUnitLauncher } from './unit-launcher.ts';
import { createWarmRunners } from './warm-runners.ts';

export interface ProcessRunnerOptions {
  /** Program and arguments of the runner: `[process.execPath, '<dist>/programs/runner.js']`. */
  readonly command: readonly [string, ...string[]];
  /** `unit`: a systemd unit per job. `session`: warm runner processes. Default: units where this host has systemd. */
  readonly isolation?: 'unit' | 'session';
  /** How long an idle warm runner is kept; 30 s by default. */
  readonly idleMs?: number;
}

/** The `Runner` of real processes. A job's folder is all that it shares with the runner; see job-files.ts. */
export const createProcessRunner = (options: ProcessRunnerOptions): Runner => {
  const isolation = options.isolation ?? (canStartUnits() ? 'unit' : 'session');
  const launcher =
    isolation === 'unit'
      ? createUnitLauncher(options.command)
      : createWarmRunners({ command: options.command, idleMs: options.idleMs ?? 30_000 });
  return {
    run: (folder, plan) => run(launcher, { folder, token: randomBytes(12).toString('hex') }, plan),
    adopt: (folder) => casting(folder, () => awaitExit(folder)),
    kill: (folder) => casting(folder, async () => requestKill(folder)),
    discard: (folder) => casting(folder, () => rm(folder, { recursive: true, force: true })),
    close: async () => launcher.close(),
  };
};

/** The plan is written before this gives way, so that a `kill` that follows is for this attempt. */
const run = (launcher: Launcher, order: Order, plan: LaunchPlan): ReturnType<Runner['run']> =>
  casting(order.folder, async () => {
    prepareFolder(order.folder);
    writeFileSync(planFile(order.folder, order.token), JSON.stringify(plan), { mode: 0o600, flag: 'wx' });
    return launcher.launch(order, plan.limits ?? {});
  });

/** The file is for a runner that has not claimed yet, the signal for one that has; a runner looks at both. */
const requestKill = (folder: string): void => {
  writeFileSync(jobFile(folder, 'kill'), '', { mode: 0o600 });
  const claim = readClaim(folder);
  if (typeof claim === 'object' && isAlive(claim.runner)) process.kill(claim.runner.pid, 'SIGUSR2');
};

const casting = async <T>(folder: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (thrown) {
    throw castFileError(thrown, folder);
  }
};

const castFileError = (thrown: unknown, folder: string): TriggerdError => {
  if (thrown instanceof TriggerdError) return thrown;
  const what = isMissing(thrown) ? 'is gone' : thrown instanceof Error ? thrown.message : String(thrown);
  return new TriggerdError('state-unusable', `the job folder ${folder}: ${what}`, {
    cause: thrown,
    details: { folder },
  });
};
