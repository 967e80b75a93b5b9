import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { moveToCgroupsOf } from '../adapters/process/job-cgroup.ts';
import type { ProcessTree } from '../adapters/process/process-tree.ts';
import { liftLimits } from '../adapters/process/with-limits.ts';
import { basePath } from '../adapters/system/base-env.ts';
import { withOrdinaryScore } from '../adapters/system/inherited.ts';
import type { OpenShelter } from './shelter.ts';

/** How long systemd may take to make a scope. */
const openMs = 10_000;
/** Processes that start others faster than this can follow are no service, and end with the unit of the job. */
const takeInMs = 10_000;

/**
 * A transient scope of systemd: a cgroup of its own without limits, which lives as long as a process is in it. systemd kills what is in the
 * unit of the job when the runner ends. The first process of the scope is ours, so that it exists whatever the others do meanwhile.
 */
export const openScope: OpenShelter = async ({ token }, { env, limits = {} }) => {
  const unit = `triggerd-left-${token}.scope`;
  const description = `Left by job ${env['TRIGGERD_JOB'] ?? ''} of triggerd`;
  const holder = await startHolder(unit, description);
  const takeIn = async (tree: ProcessTree): Promise<void> => {
    const deadline = performance.now() + takeInMs;
    while (!tree.isEmpty()) {
      if (performance.now() > deadline) throw new Error(`${unit}: new processes appear faster than they can be moved`);
      for (const pid of tree.members()) {
        // In this order, so that a child is either moved, too, or starts with what its parent has.
        liftLimits(pid, limits);
        moveToCgroupsOf(holder.pid, pid);
      }
      await sleep(1);
    }
  };
  return { unit, takeIn: (tree) => takeIn(tree).finally(() => holder.end()) };
};

interface Holder {
  readonly pid: number;
  end(): void;
}

/** Before version 253, systemd knows no `OOMPolicy` of scopes; since then one process that is out of memory would end all. */
const startHolder = async (unit: string, description: string): Promise<Holder> => {
  try {
    return await holderIn(unit, [`--description=${description}`, '--property=OOMPolicy=continue']);
  } catch {
    return holderIn(unit, [`--description=${description}`]);
  }
};

/** `systemd-run --scope` becomes the program when the scope is there: the echo says so. */
const holderIn = async (unit: string, options: readonly string[]): Promise<Holder> => {
  const words = [
    '--scope',
    '--quiet',
    '--collect',
    '--no-ask-password',
    `--unit=${unit}`,
    ...options,
    '--',
    '/bin/cat',
  ];
  const child = withOrdinaryScore(() =>
    spawn('systemd-run', words, { cwd: '/', env: { PATH: basePath }, stdio: 'pipe' }),
  );
  child.stdin.on('error', () => undefined);
  child.stdin.write('\n');
  const said: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const isThere = await Promise.race([
    once(child.stdout, 'data').then(() => true),
    endOf(child).then(() => false),
    sleep(openMs, false, { ref: false }),
  ]);
  if (isThere && child.pid !== undefined) return { pid: child.pid, end: () => child.stdin.end() };
  child.kill('SIGKILL');
  throw new Error(`systemd-run --scope --unit=${unit}: ${said.join('').trim() || 'no answer'}`);
};

const endOf = (child: ChildProcess): Promise<unknown> =>
  new Promise((resolve) => child.once('error', resolve).once('close', resolve));
