/** One invocation of `trigger`: arguments in, exit code out. */
import { type Command, CommanderError } from 'commander';
import { assertExactText } from '../adapters/system/exact-text.ts';
import type { TriggerdError } from '../domain/errors.ts';
import type { Run } from './command.ts';
import { buildProgram, versionAsked } from './program.ts';
import { Interrupted, type Interruption, interruptedExitCode } from './support/interruption.ts';
import { commandLineError, exitCodeOfError, renderError } from './support/report-error.ts';
import { openSession, optionsOf, type Session } from './support/session.ts';
import { protectTspWords } from './tsp/protect-words.ts';

export const runTrigger = async (args: readonly string[], interruption: Interruption): Promise<number> => {
  let exitCode = 0;
  let json = args.includes('--json');
  const run: Run =
    <Args extends readonly unknown[]>(handler: (session: Session, ...args: Args) => Promise<number> | Promise<void>) =>
    async (...given: [...Args, ...unknown[]]) => {
      // Commander gives arguments, options and, last, the command itself.
      const options = optionsOf(given.at(-1) as Command);
      json = options.json === true;
      given[given.length - 2] = options;
      exitCode = (await handler(openSession(options, interruption), ...(given as unknown as Args))) ?? 0;
    };
  try {
    if (args[0] === '__complete') return await answerShell(args.slice(1));
    assertExactText();
    await buildProgram(run).parseAsync(protectTspWords(helpAsOption(args)), { from: 'user' });
    const error = interruption.error();
    return error === undefined ? exitCode : tell(error, json);
  } catch (error) {
    return await conclude(error, json, interruption);
  }
};

/** What the completion of the shells asks, at every press of TAB. */
const answerShell = async (words: readonly string[]): Promise<number> => {
  const { printCandidates } = await import('./completion/candidates.ts');
  return printCandidates(words);
};

/** `trigger help queue add` → `trigger queue add --help`: commander's own would show commands whose file is not loaded. */
const helpAsOption = (args: readonly string[]): string[] =>
  args[0] === 'help' ? [...args.slice(1), '--help'] : [...args];

/** Whatever ended the command early → what the user sees, and the exit code. */
const conclude = async (thrown: unknown, json: boolean, interruption: Interruption): Promise<number> => {
  if (thrown instanceof Interrupted) return concludeInterrupted(thrown, json, interruption);
  if (thrown instanceof CommanderError) {
    if (thrown.code === versionAsked) return printVersion();
    if (thrown.exitCode === 0) return 0;
    // `trigger` alone, `trigger plugin`: the help that commander has printed to stderr says it all.
    if (thrown.code === 'commander.help') return 2;
  }
  return tell(commandLineError(thrown), json);
};

const tell = (error: TriggerdError, json: boolean): number => {
  process.stderr.write(renderError(error, json));
  return exitCodeOfError(error);
};

const concludeInterrupted = (thrown: Interrupted, json: boolean, interruption: Interruption): number => {
  const error = interruption.error();
  if (error !== undefined) return tell(error, json);
  // `trigger queue | head`: all that was asked for was seen.
  if (interruption.isReaderGone() && !thrown.wasFollowing) return 0;
  return interruption.exitCode() ?? interruptedExitCode;
};

const printVersion = async (): Promise<number> => {
  const { packageVersion } = await import('./support/version.ts');
  process.stdout.write(`${packageVersion()}\n`);
  return 0;
};
