import type { PersistentCall } from './persistent-pool.ts';
import type { JobLimits, RunTerms } from './run-terms.ts';

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
