import { readdirSync, readFileSync } from 'node:fs';
import { statOf } from './process-identity.ts';

/** Everything that a job has started, as far as it can be known. */
export interface ProcessTree {
  /** Whether the job's own group is empty: the end of a job that ends by itself. */
  isEmpty(): boolean;
  /** Also no escaped process is left: the end of a job that was stopped. Slower. */
  isGone(): boolean;
  /** Processes that are left, escaped ones, too. As slow as `isGone`. */
  members(): number[];
  signal(name: NodeJS.Signals): void;
}

export const tokenVariable = 'TRIGGERD_JOB_TOKEN';

/** How often a group that the kernel says is there is searched for anything but zombies that nobody reaps. */
const zombieCheckMs = 500;

/**
 * Where there is no cgroup: the job's process group, and whoever carries the job's token in its environment (that is how
 * those who left by setsid or a double fork are found).
 */
export const groupTree = (group: number, token: string): ProcessTree => {
  let checkedAt = performance.now();
  const members = (): number[] => livePids().filter((pid) => statOf(pid)?.group === group);
  const isEmpty = (): boolean => {
    if (!groupExists(group)) return true;
    if (performance.now() - checkedAt < zombieCheckMs) return false;
    checkedAt = performance.now();
    return members().length === 0;
  };
  return {
    isEmpty,
    isGone: () => (!groupExists(group) || members().length === 0) && holdersOf(token).length === 0,
    members: () => [...new Set([...members(), ...holdersOf(token)])].sort((a, b) => a - b),
    signal: (name) => {
      send(-group, name);
      for (const pid of holdersOf(token)) send(pid, name);
    },
  };
};

/** Where the runner has a cgroup of its own: all in it but the runner. Nobody can leave it. */
export const cgroupTree = (procsFile: string): ProcessTree => {
  const members = (): number[] =>
    readFileSync(procsFile, 'latin1')
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 0 && pid !== process.pid);
  const isEmpty = (): boolean => members().length === 0;
  return {
    isEmpty,
    isGone: isEmpty,
    members,
    signal: (name) => {
      for (const pid of members()) send(pid, name);
    },
  };
};

const livePids = (): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && statOf(pid)?.isZombie === false);

const holdersOf = (token: string): number[] => {
  const wanted = `${tokenVariable}=${token}`;
  return livePids().filter((pid) => pid !== process.pid && environmentOf(pid).includes(wanted));
};

const environmentOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return '';
  }
};

const groupExists = (group: number): boolean => {
  try {
    process.kill(-group, 0);
    return true;
  } catch (thrown) {
    // EPERM: there are members, of another user.
    return !(thrown instanceof Error && 'code' in thrown && thrown.code === 'ESRCH');
  }
};

const send = (target: number, name: NodeJS.Signals): void => {
  try {
    process.kill(target, name);
  } catch {
    // Gone meanwhile, or not ours to signal: the caller looks again.
  }
};
