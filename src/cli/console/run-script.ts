import { asTriggerdError, TriggerdError } from '../../domain/errors.ts';
import { Interrupted } from '../support/interruption.ts';
import { exitCodeOfError } from '../support/report-error.ts';
import type { Console } from './console.ts';
import { NoLink } from './links.ts';

export interface Script {
  readonly lines: AsyncIterable<string> | Iterable<string>;
  /** Where a line is, counted from 1: “line 3”; null where there is only one. */
  readonly place: (number: number) => string | null;
  /** Goes on after a statement that failed. */
  readonly keepGoing: boolean;
  readonly onError: (error: TriggerdError) => void;
}

/**
 * Runs one statement after the other; gives the exit code: 0 when all of them worked, else that of the last one that did
 * not. Throws `NoLink` and `Interrupted`.
 */
export const runScript = async (console: Console, { lines, place, keepGoing, onError }: Script): Promise<number> => {
  let exitCode = 0;
  let number = 0;
  for await (const line of lines) {
    number++;
    try {
      const ran = await console.run(line);
      exitCode = ran.exitCode || exitCode;
      if (ran.isOver || (ran.exitCode !== 0 && !keepGoing)) break;
    } catch (thrown) {
      if (thrown instanceof Interrupted || thrown instanceof NoLink) throw thrown;
      const error = located(asTriggerdError(thrown), place(number), number);
      onError(error);
      // A statement that is wrong is no wrong command line; a daemon that is not there is not there for the next one.
      const ownCode = exitCodeOfError(error);
      exitCode = ownCode === 2 ? 1 : ownCode;
      if (!keepGoing || ownCode === 3) break;
    }
  }
  return exitCode;
};

const located = (error: TriggerdError, place: string | null, line: number): TriggerdError => {
  if (place === null) return error;
  const separator = error.message.startsWith('column ') ? ',' : ':';
  const { code, message, details } = error;
  return new TriggerdError(code, `${place}${separator} ${message}`, { cause: error, details: { ...details, line } });
};
