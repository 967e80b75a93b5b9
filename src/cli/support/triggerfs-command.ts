/** What the `triggerfs*` commands have in common: how their options are read, and what a failure ends with. */
import { type Command, CommanderError } from 'commander';
import type { TriggerdError } from '../../domain/errors.ts';
import { Interrupted, interruptedExitCode } from './interrupted.ts';
import type { Interruption } from './interruption.ts';
import { commandLineError, exitCodeOfError } from './report-error.ts';
import { withDoubleDashes } from './single-dash.ts';
import { packageVersion } from './version.ts';

/** The options that were given; throws commander's error, which is told once, by whoever catches it. */
export const readFlags = <Flags extends object>(command: Command, args: readonly string[]): Flags => {
  command
    .version(packageVersion())
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  return command.parse(withDoubleDashes(command, args), { from: 'user' }).opts<Flags>();
};

/** Whatever ended a command early → its exit code; `say` tells the user of an error. */
export const conclude = (thrown: unknown, interruption: Interruption, say: (error: TriggerdError) => void): number => {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
  const error = thrown instanceof Interrupted ? interruption.error() : commandLineError(thrown);
  if (error === undefined) return interruption.exitCode() ?? interruptedExitCode;
  say(error);
  return exitCodeOfError(error);
};
