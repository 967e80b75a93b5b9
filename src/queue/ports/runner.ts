import type { JobId, JobTimes } from '../../domain/job.ts';

/**
 * Runs jobs so that they outlive the daemon. The daemon holds nothing of a running job: everything is in the job's
 * folder (`claim`, `output`, `output.idx`, `status.json`).
 */
export interface Runner {
  /**
   * Starts the plan; resolves when the job has ended (its process group or cgroup is empty, or the plan's `leftovers` says so). Never rejects for the job's
   * own failure: `never-started` and `lost` mean what they mean for `adopt`, when a runner dies under a living daemon.
   * Rejects (`state-unusable`, `internal`) when the system refuses what it needs; then `adopt` says whether it was started.
   */
  run(folder: string, plan: LaunchPlan): Promise<RunExit | 'never-started' | 'lost'>;
  /**
   * After a restart of the daemon, for a job that the journal calls running: waits for it if it runs, reads how it ended
   * if it has, and says `never-started` (making sure that it never will be) or `lost` (its runner died, e.g. by a reboot).
   */
  adopt(folder: string): Promise<RunExit | 'never-started' | 'lost'>;
  /** TERM to everything the job started, KILL after the plan's grace. Resolves when asked, not when over. */
  kill(folder: string): Promise<void>;
  /** Deletes the folder of a forgotten job. */
  discard(folder: string): Promise<void>;
  /** Lets idle runners end; running jobs continue without us. */
  close(): Promise<void>;
}

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

/** What a job may use; undefined: as much as the system gives. */
export interface JobLimits {
  readonly memoryBytes?: number | undefined;
  /** Processes and threads. */
  readonly processes?: number | undefined;
  /** Of each process. */
  readonly openFiles?: number | undefined;
  /** Processor time of each process. */
  readonly cpuMs?: number | undefined;
}

/**
 * What the end of a run is judged by, as it was at the start: by the end the plugin may be gone or another one (the run
 * may itself upgrade triggerd), and the configuration may have changed. The runner gives it back with the ending.
 */
export interface RunTerms {
  readonly driver: string;
  readonly successExitCodes: readonly number[];
  /** Missing in a plan of before. */
  readonly retryExitCodes?: readonly number[];
  /** The command line as started. */
  readonly argv: readonly string[];
}

/** What to start for a job: a complete description, no shell. */
export interface LaunchPlan {
  /** Program (absolute, or found on the base PATH) and its arguments. */
  readonly argv: readonly [string, ...string[]];
  /** The whole environment of the process. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin: string | null;
  /** How `stdin` is written here; missing: as it is. */
  readonly stdinEncoding?: 'base64';
  readonly timeoutMs: number | null;
  /** Between TERM and KILL. */
  readonly graceMs: number;
  /** Bytes of output kept in the file; what exceeds it is counted, and its last part kept. */
  readonly maxOutputBytes: number;
  /** Standard error goes to `output.err`, which has the same limit. */
  readonly stderrApart?: true;
  /** `output` is a gzip file; the limit counts what the job wrote. */
  readonly gzip?: true;
  /** Put into the output where the program cannot be started. */
  readonly notStartedText?: string;
  /** Written as the file that `TRIGGERD_CONTEXT` names. */
  readonly context: string;
  /** Written as the file that `TRIGGERD_PROOF` names, which only the job's user can read, and deleted at the end. */
  readonly proof?: string;
  readonly limits?: JobLimits;
  /** What happens to processes that outlive the first one; missing: `wait`. */
  readonly leftovers?: LeftoversRule;
  readonly terms?: RunTerms;
  /** With a plugin whose one process does many jobs: what it is asked to do. Then the rest is for nobody. */
  readonly call?: PersistentCall;
}

/**
 * When a job's first process has ended and others that it started have not: the job ends when all have ended (`wait`), it ends
 * and they live on (`leave`), or they are stopped (`kill`).
 */
export type LeftoversRule = 'wait' | 'leave' | 'kill';

/** A plugin of mode `persistent`, as it was found. The same object as long as nothing of it has changed. */
export interface PersistentProgram {
  readonly plugin: string;
  readonly executable: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: JobLimits;
  /** Jobs that one process takes at once. */
  readonly concurrency: number;
  /** Between a `cancel`, or TERM, and KILL. */
  readonly graceMs: number;
}

/** One job for a persistent plugin. */
export interface PersistentCall {
  readonly program: PersistentProgram;
  readonly id: JobId;
  readonly args: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
  readonly payload: string | null;
  readonly payloadEncoding?: 'base64';
  /** A JSON document. */
  readonly context: string;
  readonly timeoutMs: number | null;
  readonly maxOutputBytes: number;
  readonly terms: RunTerms;
}

/** The processes of persistent plugins. */
export interface PersistentPool {
  /** Gives the call to a process that has room for it, or to a new one. Nothing is told before this has returned. */
  run(call: PersistentCall, listener: CallListener): RunningCall;
  /** Stops all processes, which interrupts what they do; resolves when they are gone. */
  close(): Promise<void>;
}

export interface CallListener {
  output(stream: 'out' | 'err', bytes: Buffer): void;
  /** Exactly once, after the last output. */
  ended(end: CallExit): void;
}

export type CallExit =
  | { readonly kind: 'exited'; readonly code: number; readonly cause: RunExit['cause'] }
  /** Its process is gone before it has said `exit`. */
  | { readonly kind: 'interrupted'; readonly cause: RunExit['cause']; readonly reason: string }
  /** There is no process for it. */
  | { readonly kind: 'not-started'; readonly cause: RunExit['cause']; readonly reason: string };

export interface RunningCall {
  /** Asks the plugin to end it, and after a grace ends the process, with all that it does. */
  kill(): void;
}
