import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { LimitEvents } from '../../queue/ports/runner.ts';
import { cgroupTree, type ProcessTree } from './process-tree.ts';

/** The cgroup that holds one runner and its job, and nothing else. */
export interface JobCgroup {
  readonly tree: ProcessTree;
  /** How often the job met a limit; undefined: never. */
  limitEvents(): LimitEvents | undefined;
}

/** Undefined where this process's cgroup can't be seen. */
export const ownCgroup = (): JobCgroup | undefined => {
  const lines = readFileSync('/proc/self/cgroup', 'latin1').split('\n');
  const procsFile = processesIn(lines);
  if (procsFile === undefined) return undefined;
  return {
    tree: cgroupTree(procsFile),
    limitEvents: () => {
      const outOfMemory = counter(lines, 'memory', ['memory.events', 'memory.oom_control'], 'oom_kill');
      const refusedForks = counter(lines, 'pids', ['pids.events'], 'max');
      return outOfMemory + refusedForks > 0 ? { outOfMemory, refusedForks } : undefined;
    },
  };
};

/**
 * Moves a process to where another one is, in every hierarchy in which they are apart. A process that is gone is no error. Throws when the
 * system refuses.
 */
export const moveToCgroupsOf = (example: number, pid: number): void => {
  const targets = textOf(`/proc/${example}/cgroup`).split('\n').filter(Boolean);
  const present = textOf(`/proc/${pid}/cgroup`).split('\n').filter(Boolean);
  if (targets.length === 0) throw new Error(`process ${example} has ended, so its cgroup is unknown`);
  if (present.length === 0) return;
  for (const line of targets.filter((target) => !present.includes(target))) moveTo(line, pid);
};

const moveTo = (line: string, pid: number): void => {
  const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
  const mounts = controllers === '' ? ['', '/unified'] : [`/${controllers.replace('name=', '')}`];
  const files = mounts.map((mount) => `/sys/fs/cgroup${mount}${path === '/' ? '' : path}/cgroup.procs`);
  const file = files.find(existsSync);
  // What is not mounted is not limited by anybody.
  if (file === undefined) return;
  try {
    writeFileSync(file, String(pid));
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ESRCH')) throw thrown;
  }
};

/** `cgroup.procs` of this process in the unified hierarchy, or in systemd's own where cgroup v1 is mounted. */
const processesIn = (lines: readonly string[]): string | undefined =>
  [...unifiedFolders(lines), ...legacyFolders(lines, 'name=systemd', 'systemd')]
    .map((folder) => `${folder}/cgroup.procs`)
    .find((file) => textOf(file).split('\n').includes(String(process.pid)));

/** A line `name count` of the first of these files that this process's cgroup has; 0 without. */
const counter = (lines: readonly string[], controller: string, files: readonly string[], name: string): number => {
  const folders = [...unifiedFolders(lines), ...legacyFolders(lines, controller, controller)];
  const texts = folders.flatMap((folder) => files.map((file) => textOf(`${folder}/${file}`)));
  const found = texts.map((text) => new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
  return Number(found.find((count) => count !== undefined) ?? 0);
};

const unifiedFolders = (lines: readonly string[]): string[] => {
  const path = lines.find((line) => line.startsWith('0::'))?.slice(3);
  return isOwn(path) ? [`/sys/fs/cgroup${path}`, `/sys/fs/cgroup/unified${path}`] : [];
};

const legacyFolders = (lines: readonly string[], controller: string, mount: string): string[] => {
  const path = lines.map((line) => line.split(':')).find((fields) => fields[1]?.split(',').includes(controller))?.[2];
  return isOwn(path) ? [`/sys/fs/cgroup/${mount}${path}`] : [];
};

/** The root is everybody's: who is in it has no cgroup of his own in that hierarchy. */
const isOwn = (path: string | undefined): path is string => path !== undefined && path !== '/';

const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
};
