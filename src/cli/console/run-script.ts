import { asTriggerdError, TriggerdError } from '../../domain/errors.ts';
import { exitCodeOfError } from '../report-error.ts';
import type { Console } from './console.ts';

export interface Script {
  readonly lines: AsyncIterable<string> | Iterable<string>;
  /** Where a line is, counted from 1: “line 3”; null where there is only one. */
  readonly place: (number: number) => string | null;
  /** Goes on after a statement that failed. */
  readonly keepGoing: boolean;
  readonly onError: (error: TriggerdError) => void;
}

/** Runs one statement after the other; gives the exit code: 0 when all of them worked. Throws `Interrupted`. */
export const runScript = async (console: Console, { lines, place, keepGoing, onError }: Script): Promise<number> => {
  let exitCode = 0;
  let number = 0;
  for await (const line of lines) {
    number++;
    try {
      if (!(await console.run(line))) break;
    } catch (thrown) {
      const error = located(asTriggerdError(thrown), place(number), number);
      onError(error);
      // A statement that failed is a failure here; that nobody can be asked is another matter, and lasts.
      exitCode = exitCodeOfError(error) === 3 ? 3 : 1;
      if (!keepGoing || exitCode === 3) break;
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
