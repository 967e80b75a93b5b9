/**
 * The files of a job's folder: the only thing that daemon and runner share, so that either may die.
 *
 *     plan-<token>   written by the daemon, 0600: the `LaunchPlan`. Renamed to `claim` by the runner, or deleted by a
 *                    daemon that finds it after a restart: a rename and an unlink of one name exclude each other, so a
 *                    plan is either claimed once or never, whatever stale runner wakes up with an old order.
 *     claim          who runs the job, one JSON line for the runner, then one for the job's first process. The plan's
 *                    text (it holds the environment) is overwritten before the rename.
 *     kill           asks the runner to end the job; SIGUSR2 makes it look
 *     output         stdout and stderr as they came; `output.idx` says which bytes were which, and when
 *                    with `gzip` in the plan `output` is compressed and has no index
 *     output.err     stderr, with `output.err.idx`, where the plan keeps it apart
 *     context.json   the file that `TRIGGERD_CONTEXT` names; `context-<token>` until the plan is claimed
 *     proof          what the job of a request may ask others with; deleted when the job has ended
 *     status.json    the `RunExit`, with the token of the attempt; written last, atomically
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RunExit } from '../../queue/ports/runner.ts';
import { isMissing } from '../system/is-missing.ts';
import type { ProcessIdentity } from './process-identity.ts';

export type OutputName = 'output' | 'output.err';

export const jobFile = (
  folder: string,
  name: 'claim' | 'kill' | OutputName | `${OutputName}.idx` | 'context.json' | 'proof' | 'status.json',
): string => `${folder}/${name}`;

export const planFile = (folder: string, token: string): string => `${folder}/plan-${token}`;
const isPlan = (name: string): boolean => name.startsWith('plan-');

/** What a runner is told: one JSON line. */
export interface Order {
  readonly folder: string;
  readonly token: string;
}

/** What it answers: one JSON line. */
export interface Answer {
  readonly token: string;
  /** Null: nothing was started, nor will be. */
  readonly ending: RunExit | null;
  /** What the system refused, if that is why; undefined: the plan was gone. */
  readonly trouble?: string;
}

export interface Claim {
  readonly runner: ProcessIdentity & { readonly token: string };
  /** The job's first process, which leads its session; undefined until it is started. */
  readonly leader: { readonly pid: number; readonly startTime: string } | undefined;
}

/** Makes the folder, or empties it: what an earlier attempt left is deleted. */
export const prepareFolder = (folder: string): void => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
};

/** Makes sure that no runner will start what is planned here; true when there was a plan that nobody had claimed. */
export const voidPlans = (folder: string): boolean => {
  let voided = false;
  for (const name of namesIn(folder).filter(isPlan)) voided = removed(join(folder, name)) || voided;
  return voided;
};

/** `damaged`: somebody has claimed the plan, and a power cut has taken the text: nothing here is fsynced. */
export const readClaim = (folder: string): Claim | 'damaged' | undefined => {
  const text = readText(jobFile(folder, 'claim'));
  if (text === undefined) return undefined;
  const [first = '', second = ''] = text.split('\n');
  const runner = parsed<Claim['runner']>(first);
  if (typeof runner?.pid !== 'number' || typeof runner.token !== 'string') return 'damaged';
  const leader = parsed<NonNullable<Claim['leader']>>(second);
  return { runner, leader: typeof leader?.pid === 'number' ? leader : undefined };
};

/** The first process of the job in this folder, which may be gone; undefined when it is not known. */
export const leaderPid = (folder: string): number | undefined => {
  const claim = readClaim(folder);
  return typeof claim === 'object' ? claim.leader?.pid : undefined;
};

/** `status.json`: how the attempt with this token ended. */
export type Status = RunExit & { readonly token: string };

/** Undefined, too, for one that a power cut has damaged. */
export const readStatus = (folder: string, token: string): RunExit | undefined => {
  const status = parsed<Status>(readText(jobFile(folder, 'status.json')) ?? '');
  if (status?.token !== token || typeof status.exit?.kind !== 'string') return undefined;
  const { token: _ofAttempt, ...ending } = status;
  return ending;
};

/** The object, of which no field is certain. */
const parsed = <T extends object>(text: string): T | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
};

const readText = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
};

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch (thrown) {
    if (isMissing(thrown)) return [];
    throw thrown;
  }
};

const removed = (file: string): boolean => {
  try {
    rmSync(file);
    return true;
  } catch (thrown) {
    if (isMissing(thrown)) return false;
    throw thrown;
  }
};
