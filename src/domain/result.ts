import { exitCodeOfSignal } from '../kit/signals.ts';

/** EX_TEMPFAIL of sysexits.h: what was asked for cannot be done now, and is to be tried again. */
export const tryAgainExitCode = 75;

/**
 * How a finished job ended. A failed job is a value, never an exception. Each variant carries only its own data.
 */
export type JobResult =
  | { readonly kind: 'succeeded'; readonly exitCode: number }
  | { readonly kind: 'failed'; readonly exitCode: number; readonly reason?: string }
  | { readonly kind: 'failed-to-start'; readonly reason: string }
  | { readonly kind: 'killed'; readonly signal: string; readonly reason?: string }
  | { readonly kind: 'timed-out'; readonly reason?: string }
  | { readonly kind: 'interrupted'; readonly reason: string };

export type ResultKind = JobResult['kind'];

/** An exit code of `retryExitCodes` means 75, which everybody who asks knows. */
export const failureOf = (exitCode: number, retryExitCodes: readonly number[], reason?: string): JobResult => {
  if (!retryExitCodes.includes(exitCode))
    return { kind: 'failed', exitCode, ...(reason === undefined ? {} : { reason }) };
  return { kind: 'failed', exitCode: tryAgainExitCode, reason: reason ?? `exit code ${exitCode}: to be tried again` };
};

/** The exit code that `trigger queue wait|cat|tail` end with, in the shell's manner where the job itself has none. */
export const exitCodeOf = (result: JobResult): number => {
  switch (result.kind) {
    case 'succeeded':
    case 'failed':
      return result.exitCode;
    case 'failed-to-start':
      return 127;
    case 'killed':
      return exitCodeOfSignal(result.signal);
    case 'timed-out':
      return 124;
    case 'interrupted':
      return 1;
  }
};

/** The job's own exit code, or null where the process had none. */
export const ownExitCode = (result: JobResult): number | null =>
  result.kind === 'succeeded' || result.kind === 'failed' ? result.exitCode : null;

/** Why, in words, where more is known than the result itself says. */
export const reasonOf = (result: JobResult): string | null => ('reason' in result ? (result.reason ?? null) : null);

/** How it did not succeed, as the end of “job 7 …”; null when it did. */
export const endInWords = (result: JobResult): string | null => {
  switch (result.kind) {
    case 'succeeded':
      return null;
    case 'failed':
      return `failed with exit code ${result.exitCode}`;
    case 'failed-to-start':
      return 'could not be started';
    case 'killed':
      return `was killed by ${result.signal}`;
    case 'timed-out':
      return 'ran into its timeout';
    case 'interrupted':
      return 'was interrupted';
  }
};
