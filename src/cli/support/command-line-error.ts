import { CommanderError } from 'commander';
import { asTriggerdError, TriggerdError } from '../../domain/errors.ts';

/** What ended a `triggerfs*` command, as an error of ours: what commander did not understand is `usage`. */
export const commandLineError = (thrown: unknown): TriggerdError =>
  thrown instanceof CommanderError
    ? new TriggerdError('usage', thrown.message.replace(/^error: /, ''), { cause: thrown })
    : asTriggerdError(thrown);
