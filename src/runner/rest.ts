import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessTree } from '../adapters/process/process-tree.ts';
import { becomes, stopTree } from '../adapters/process/stop-tree.ts';
import type { LaunchPlan, Leftovers } from '../queue/ports/runner.ts';
import { isPuppetRun } from './puppet-run.ts';
import type { Shelter } from './shelter.ts';
import type { Stopping } from './stopping.ts';

/** How long processes that are ending anyway are waited for, before they count as left behind. */
const settleMs = 250;
const namedAtMost = 10;

export interface Rest {
  readonly plan: Pick<LaunchPlan, 'leftovers' | 'graceMs' | 'terms'>;
  readonly tree: ProcessTree;
  readonly stopping: Pick<Stopping, 'hold' | 'release'>;
  /** Undefined where whatever the job leaves ends with its runner: then it is waited for. */
  readonly openShelter: (() => Promise<Shelter>) | undefined;
  /** Reads what the job has written; from then on what is written to its output is thrown away. */
  finishOutput(): Promise<unknown>;
  /** Where nothing can be given up for it. */
  complain(thrown: unknown): void;
}

/**
 * From the exit of a job's first process to the job's end. From there on nobody stops it (`hold`), except with the rule `wait`: what a
 * job has left is no part of it.
 */
export const endOfRest = async (rest: Rest): Promise<Leftovers | undefined> => {
  const { plan, tree, stopping, openShelter } = rest;
  const isKilled = plan.leftovers === 'kill';
  const isLeft = plan.leftovers === 'leave' && openShelter !== undefined;
  if (!isKilled && !isLeft) return untilEmpty(tree);
  if (plan.terms?.driver === 'puppet') await untilNoRun(tree);
  // A stop that is under way ends everything.
  if (!stopping.hold() || (await becomes(() => tree.isGone(), settleMs))) return undefined;
  const found = named(tree.members());
  if (found.total === 0 && tree.isGone()) return undefined;
  if (isLeft) return leave(rest, openShelter, found);
  await stopTree(tree, plan.graceMs);
  return { fate: 'killed', ...found };
};

/** How often a run that goes on in the background is looked at. */
const runCheckMs = 500;

/** Until here the job is not over: a kill and its timeout act. */
const untilNoRun = async (tree: ProcessTree): Promise<void> => {
  while (tree.members().some(isPuppetRun)) await sleep(runCheckMs);
};

const untilEmpty = async (tree: ProcessTree): Promise<undefined> => {
  await becomes(() => tree.isEmpty(), Number.POSITIVE_INFINITY);
  return undefined;
};

/** Where there is no shelter, or not for all, the job waits: it lasts longer than it should, and nothing is killed that should live. */
const leave = async (
  { tree, stopping, finishOutput, complain }: Rest,
  openShelter: () => Promise<Shelter>,
  found: Pick<Leftovers, 'total' | 'processes'>,
): Promise<Leftovers | undefined> => {
  let left: Leftovers | undefined;
  try {
    const shelter = await openShelter();
    // What reads the output from then on is moved, too.
    await finishOutput();
    left = { fate: 'left', ...found, ...(shelter.unit !== undefined && { unit: shelter.unit }) };
    await shelter.takeIn(tree);
  } catch (thrown) {
    complain(thrown);
    stopping.release();
    await untilEmpty(tree);
  }
  return left;
};

const named = (pids: readonly number[]): Pick<Leftovers, 'total' | 'processes'> => {
  const processes = pids.map((pid) => ({ pid, name: nameOf(pid) })).filter(({ name }) => name !== '');
  return { total: processes.length, processes: processes.slice(0, namedAtMost) };
};

const nameOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
  } catch {
    return '';
  }
};
