/** What the `triggerfs*` commands have in common: how their options are read, and what a failure ends with. */
import { type Command, CommanderError } from 'commander';
import type { TriggerdError } from '../../domain/errors.ts';
import { Interrupted, type Interruption, interruptedExitCode } from './interruption.ts';
import { commandLineError, exitCodeOfError } from './report-error.ts';
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

/**
 * triggerFS' commands take `-identity demo01` as well as `--identity demo01`: the first becomes the second. Values stay
 * as they are, whatever they look like, and so does everything after `--`.
 */
export const withDoubleDashes = (command: Command, args: readonly string[]): string[] => {
  const options = new Map(
    // An option may have a second long name, in the place of a short one.
    command.options.flatMap((option) => [option.long, option.short].map((name) => [name, option] as const)),
  );
  if (args.length === 1 && args[0] === '-help') return ['--help'];
  const given: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? '';
    if (arg === '--') return [...given, ...args.slice(at)];
    const [name = ''] = arg.split('=', 1);
    const option = options.get(name.startsWith('--') ? name : `-${name}`);
    given.push(option !== undefined && !name.startsWith('--') ? `-${arg}` : arg);
    const value = args[at + 1];
    if (option?.required === true && arg === name && value !== undefined) {
      given.push(value);
      at++;
    }
  }
  return given;
};
