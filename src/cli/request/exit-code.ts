import type { Outcome } from '../../client/client.ts';
import { exitCodeOf } from '../../domain/result.ts';

/** What a command exits with for a request that has ended so: the plugin's own exit code, else as a shell would say it. */
export const exitCodeOfOutcome = (outcome: Outcome): number => {
  const { result, exitCode, signal } = outcome;
  if (exitCode !== null) return exitCode;
  switch (result) {
    case 'killed':
      return exitCodeOf({ kind: 'killed', signal: signal ?? '' });
    case 'timed-out':
      return exitCodeOf({ kind: 'timed-out' });
    case 'failed-to-start':
      return exitCodeOf({ kind: 'failed-to-start', reason: '' });
    default:
      return result === 'succeeded' ? 0 : 1;
  }
};

/** What the exit code does not say, in words; undefined: it says all. */
export const noteOf = (outcome: Outcome): string | undefined => {
  const { result, exitCode, signal, reason } = outcome;
  if (result === 'succeeded') return undefined;
  const why = reason === null ? '' : `: ${reason}`;
  if (result === 'failed') return reason === null ? undefined : `exit code ${exitCode}${why}`;
  return `${words[result] ?? result}${signal === null ? '' : ` by ${signal}`}${why}`;
};

const words: Readonly<Record<string, string>> = {
  'failed-to-start': 'could not be started',
  'timed-out': 'timed out',
  lost: 'lost',
};
