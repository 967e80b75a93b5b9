import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { root } from '../../spec/support/node.ts';
import { packageVersion } from '../../src/cli/support/version.ts';

/** What a figure needs beside it to mean something on another day. */
export interface Facts {
  readonly date: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGb: number;
    readonly kernel: string;
    readonly load: number;
  };
  readonly versions: {
    readonly triggerd: string;
    readonly commit: string;
    readonly node: string;
    readonly etcd: string;
    readonly taskSpooler: string;
  };
}

export const collectFacts = (): Facts => ({
  date: new Date().toISOString(),
  machine: {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1e9),
    kernel: release(),
    load: loadavg()[0] ?? 0,
  },
  versions: {
    triggerd: packageVersion(),
    commit: commit(),
    node: process.versions.node,
    etcd: firstLine('etcd', '--version').replace('etcd Version: ', ''),
    taskSpooler: firstLine('tsp', '-V').replace(/^Task Spooler v(\S+).*/, '$1'),
  },
});

const commit = (): string => {
  const changed = firstLine('git', '-C', root, 'status', '--porcelain', '--', 'src') === '' ? '' : ' and changes';
  return `${firstLine('git', '-C', root, 'rev-parse', '--short', 'HEAD')}${changed}`;
};

const firstLine = (program: string, ...args: string[]): string => {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0] ?? '';
  } catch {
    return 'unknown';
  }
};
