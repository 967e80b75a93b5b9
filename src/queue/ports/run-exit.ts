import type { JobTimes } from '../../domain/job.ts';
import type { RunTerms } from './run-terms.ts';

/** Processes that outlived a job's first one. */
export interface Leftovers {
  readonly fate: 'left' | 'killed';
  readonly total: number;
  /** The first ten. `name` is the kernel's, at most 15 bytes: a whole command line may hold secrets. */
  readonly processes: readonly { readonly pid: number; readonly name: string }[];
  /** The unit of systemd that holds those that were left. */
  readonly unit?: string;
}

/** What a runner saw. Facts only; `Plugins.conclude` makes a result of them. */
export interface RunExit {
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly times: JobTimes;
  readonly exit:
    | { readonly kind: 'exited'; readonly code: number }
    | { readonly kind: 'signalled'; readonly signal: string }
    | { readonly kind: 'not-started'; readonly reason: string };
  /** Why it ended, first reason wins. */
  readonly cause: 'itself' | 'timeout' | 'kill';
  readonly outputBytes: number;
  /** How often the job met a limit, where the system counts that; undefined: never, or it does not. */
  readonly exceeded?: LimitEvents;
  /** What lived on, or was killed, when the job's first process had ended by itself; undefined: nothing, or the job waited for it. */
  readonly leftovers?: Leftovers;
  /** The plan's; undefined from a runner that knew none, e.g. one of an older triggerd. */
  readonly terms?: RunTerms;
}

/** Of a cgroup, since it was made. */
export interface LimitEvents {
  /** Processes that the kernel has killed for want of memory. */
  readonly outOfMemory: number;
  /** Processes and threads that could not be started. */
  readonly refusedForks: number;
}
