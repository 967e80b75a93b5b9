/** Why a command stops before its work has ended: a signal, or nobody can read what it prints any more. */
import { TriggerdError } from '../../domain/errors.ts';
import { surviveClosedTerminal } from './lost-output.ts';
import { watchReader } from './watch-reader.ts';

/**
 * The user pressed Ctrl-C, or left in another way (`interruption.ts`). Not an error of the catalogue: nothing failed.
 * `wasFollowing`: what has not ended was followed, so that the exit code must not look like its end.
 */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly wasFollowing: boolean;

  constructor({ wasFollowing = false } = {}) {
    super('interrupted');
    this.wasFollowing = wasFollowing;
  }
}

export const interruptedExitCode = 130;

export interface Interruption {
  /** Aborted by the first of them. */
  readonly signal: AbortSignal;
  /** As a shell says it: 128 and the signal's number, that of SIGPIPE when the reader is gone, 1 when writing fails; undefined: continues. */
  exitCode(): number | undefined;
  /** The reader of the output went away. */
  isReaderGone(): boolean;
  /** What kept the output from being written, other than a reader that went away. */
  error(): TriggerdError | undefined;
}

type Reason = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'reader-gone' | TriggerdError;

const exitCodes = { SIGINT: interruptedExitCode, SIGTERM: 143, SIGHUP: 129, 'reader-gone': 141 } as const;
/** Programs send SIGTERM to us and to our group at once: within this time it means the same. ms. */
const sameTermMs = 1_000;
/** What prints within this time hears of a reader that is gone by writing. ms. */
const readerWatchAfterMs = 1_000;

/**
 * Listens from now on. A second Ctrl-C ends the process at once, as a later SIGTERM does; SIGHUP does not: a shell and the
 * kernel each send one when a terminal is closed.
 */
export const watchForInterruption = (): Interruption => {
  surviveClosedTerminal();
  const controller = new AbortController();
  let reason: Reason | undefined;
  const stopWatching = watchReaderLater((what) => interrupt(what === 'terminal' ? 'SIGHUP' : 'reader-gone'));
  const onInt = (): void => interrupt('SIGINT');
  const onTerm = (): void => interrupt('SIGTERM');
  const interrupt = (why: Reason): void => {
    process.off('SIGINT', onInt);
    setTimeout(() => process.off('SIGTERM', onTerm), sameTermMs).unref();
    stopWatching();
    reason ??= why;
    controller.abort();
  };
  process.on('SIGINT', onInt).on('SIGTERM', onTerm);
  process.on('SIGHUP', () => interrupt('SIGHUP'));
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => interrupt(reasonOf(error, stream)));
  return {
    signal: controller.signal,
    exitCode: () => (reason instanceof TriggerdError ? 1 : reason && exitCodes[reason]),
    isReaderGone: () => reason === 'reader-gone',
    error: () => (reason instanceof TriggerdError ? reason : undefined),
  };
};

const reasonOf = (error: NodeJS.ErrnoException, stream: NodeJS.WriteStream): Reason => {
  if (error.code === 'EPIPE') return 'reader-gone';
  // A terminal that is closed says this, also to those who do not get its SIGHUP.
  if (error.code === 'EIO' && stream.isTTY === true) return 'SIGHUP';
  const what = stream === process.stderr ? 'what is said on stderr' : 'the output';
  return new TriggerdError('output-failed', `cannot write ${what}: ${error.message}`, { cause: error });
};

/** Most commands have ended by then. */
const watchReaderLater = (onGone: Parameters<typeof watchReader>[0]): (() => void) => {
  let stop = (): void => undefined;
  const timer = setTimeout(() => {
    stop = watchReader(onGone);
  }, readerWatchAfterMs).unref();
  return () => {
    clearTimeout(timer);
    stop();
  };
};
