/**
 * One job from its plan to `status.json`:
 *
 *     plan ─► everything that may fail ─► claim ─► start ─► the first process exits ─► its group is empty, left or killed
 *                       │                   │        │                 ▲                      │
 *                       │         voided: null       │     timeout or kill: stop everything;  ▼
 *                       └─ throws: nothing was       └─ refused:       the first reason wins  the pipes are drained
 *                          started, nor will be         not-started                           ─► status
 */

import { existsSync, rmSync } from 'node:fs';
import type { JobCgroup } from '../adapters/process/job-cgroup.ts';
import { jobFile, type Order } from '../adapters/process/job-files.ts';
import { groupTree, tokenVariable } from '../adapters/process/process-tree.ts';
import { withLimits } from '../adapters/process/with-limits.ts';
import type { LaunchPlan, RunExit } from '../queue/ports/runner.ts';
import { openPlan } from './claim.ts';
import { collectOutput } from './collect-output.ts';
import { type CpuTimes, childrenTimes, since } from './cpu-times.ts';
import type { Pipe } from './pipes.ts';
import { openResources, type Resources } from './resources.ts';
import { endOfRest } from './rest.ts';
import type { OpenShelter } from './shelter.ts';
import { type ProcessExit, type StartedProcess, startProcess } from './start-process.ts';
import { createStopping, type Stopping } from './stopping.ts';

export interface JobRun {
  /**
   * Null when the plan was voided: nothing was started, and nothing may be written. Rejects when the system refused what
   * a start needs (disk, descriptors, processes): nothing was started, and nothing will be.
   */
  readonly ending: Promise<RunExit | null>;
  /** Ends the job if its folder holds a `kill` file. */
  checkKill(): void;
}

export interface RunTools {
  readonly openPipe: () => Pipe;
  /** The cgroup that holds only the runner and this job, where there is one. */
  readonly cgroup?: JobCgroup;
  /** Where what a job leaves behind lives on; undefined where it ends with the runner. */
  readonly openShelter?: OpenShelter;
  /** Takes what went wrong beside the job. */
  complain(order: Order, thrown: unknown): void;
}

export const runJob = (order: Order, tools: RunTools): JobRun => {
  const stopping = createStopping();
  const checkKill = (): void => {
    if (existsSync(jobFile(order.folder, 'kill'))) stopping.request('kill');
  };
  return { ending: run(order, tools, stopping, checkKill), checkKill };
};

const run = async (
  order: Order,
  tools: RunTools,
  stopping: Stopping,
  checkKill: () => void,
): Promise<RunExit | null> => {
  const begun = await begin(order, tools);
  if (begun === undefined) return null;
  const { plan, resources, clock, started } = begun;
  const output = collectOutput(resources);
  const forgetProof = (): void => {
    if (plan.proof !== undefined) rmSync(jobFile(order.folder, 'proof'), { force: true });
  };
  if (typeof started === 'string') {
    forgetProof();
    if (plan.notStartedText !== undefined) resources.errors.write('e', Buffer.from(plan.notStartedText));
    return clock.ending({ kind: 'not-started', reason: started }, 'itself', await output.finish());
  }
  const tree = tools.cgroup?.tree ?? groupTree(started.pid, order.token);
  stopping.arm(tree, plan);
  checkKill();
  const exit = await started.exited;
  const { openShelter } = tools;
  const leftovers = await endOfRest({
    plan,
    tree,
    stopping,
    openShelter: openShelter && (() => openShelter(order, plan)),
    finishOutput: output.finish,
    complain: (thrown) => tools.complain(order, thrown),
  });
  const cause = await stopping.settled();
  forgetProof();
  const exceeded = tools.cgroup?.limitEvents();
  const ending = clock.ending(exit, cause, await output.finish());
  return { ...ending, ...(exceeded && { exceeded }), ...(leftovers && { leftovers }) };
};

interface Begun {
  readonly plan: LaunchPlan;
  readonly resources: Resources;
  readonly clock: ReturnType<typeof startClock>;
  /** Text: why it is the job's own fault that it did not start. */
  readonly started: StartedProcess | string;
}

/** Opens what the job needs, claims the plan, starts. Undefined when the plan was voided; throws with nothing begun. */
const begin = async (order: Order, tools: RunTools): Promise<Begun | undefined> => {
  const open = openPlan(order);
  if (open === undefined) return undefined;
  try {
    const { plan } = open;
    const resources = openResources(order, plan, tools.openPipe);
    try {
      if (!open.claim()) {
        resources.abandon();
        return undefined;
      }
      resources.nameContext();
      const clock = startClock(plan);
      // systemd has limited the cgroup; what has none limits each process.
      const limited = tools.cgroup === undefined ? withLimits(plan) : plan;
      const started = await startProcess(limited, environmentOf(plan, order), resources.streams);
      resources.closeStreams();
      if (typeof started !== 'string') open.recordLeader(started.pid);
      return { plan, resources, clock, started };
    } catch (thrown) {
      open.unclaim();
      resources.abandon();
      throw thrown;
    }
  } finally {
    open.close();
  }
};

const environmentOf = (plan: LaunchPlan, { folder, token }: Order): Record<string, string> => ({
  ...plan.env,
  TRIGGERD_CONTEXT: jobFile(folder, 'context.json'),
  ...(plan.proof === undefined ? {} : { TRIGGERD_PROOF: jobFile(folder, 'proof') }),
  [tokenVariable]: token,
});

/** Real time by the monotonic clock: the wall clock may jump while a job runs. */
const startClock = ({ terms }: Pick<LaunchPlan, 'terms'>) => {
  const startedAt = Date.now();
  const startedMono = performance.now();
  const before: CpuTimes = childrenTimes();
  return {
    ending: (exit: RunExit['exit'] | ProcessExit, cause: RunExit['cause'], outputBytes: number): RunExit => ({
      startedAt,
      finishedAt: Date.now(),
      times: { realS: (performance.now() - startedMono) / 1000, ...since(before) },
      exit,
      cause,
      outputBytes,
      ...(terms === undefined ? {} : { terms }),
    }),
  };
};
