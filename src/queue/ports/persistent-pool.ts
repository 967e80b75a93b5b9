import type { JobId } from '../../domain/job.ts';
import type { RunExit } from './run-exit.ts';
import type { JobLimits, RunTerms } from './run-terms.ts';

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
