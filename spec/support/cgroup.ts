import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { until } from './wait.ts';

/** A cgroup of a test's own, in the unified hierarchy or in those of v1 that are mounted. Needs root. */
export interface TestCgroup {
  /** Starts a command inside of it. */
  readonly enter: readonly [string, ...string[]];
  limit(what: 'memory' | 'processes', value: number | 'max'): void;
  /** Moves a running process, with all its threads. */
  add(pid: number): void;
  pids(): number[];
}

const hierarchies = {
  memory: { v1: '/sys/fs/cgroup/memory', file: { v1: 'memory.limit_in_bytes', v2: 'memory.max' } },
  processes: { v1: '/sys/fs/cgroup/pids', file: { v1: 'pids.max', v2: 'pids.max' } },
} as const;
const unified = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((root) =>
  existsSync(join(root, 'cgroup.controllers')),
);
const isV2 = unified === '/sys/fs/cgroup';
const legacyRoots = ['memory', 'pids', 'systemd'].map((name) => `/sys/fs/cgroup/${name}`).filter(existsSync);

export const testCgroup = (): TestCgroup => {
  const name = `triggerd-test-${process.pid}-${Math.floor(Math.random() * 1e9)}`;
  const roots = [...(unified === undefined ? [] : [unified]), ...(isV2 ? [] : legacyRoots)];
  if (isV2) writeFileSync('/sys/fs/cgroup/cgroup.subtree_control', '+memory +pids');
  const folders = roots.map((root) => join(root, name));
  for (const folder of folders) mkdirSync(folder);
  const pids = (): number[] =>
    readFileSync(join(folders[0] ?? '', 'cgroup.procs'), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map(Number);
  onTestFinished(async () => {
    await until(() => {
      for (const pid of pids()) process.kill(pid, 'SIGKILL');
      return pids().length === 0;
    }, 'the cgroup to be empty');
    for (const folder of folders) rmdirSync(folder);
  });
  const script = `for f in ${folders.join(' ')}; do echo $$ > $f/cgroup.procs; done; exec "$@"`;
  return {
    enter: ['/bin/sh', '-c', script, 'sh'],
    limit: (what, value) => {
      const { v1, file } = hierarchies[what];
      writeFileSync(
        isV2 ? join(unified, name, file.v2) : join(v1, name, file.v1),
        String(value === 'max' && !isV2 && what === 'memory' ? -1 : value),
      );
    },
    add: (pid) => {
      for (const folder of folders) writeFileSync(join(folder, 'cgroup.procs'), String(pid));
    },
    pids,
  };
};
