/** Entry of `bin/triggerfs-client`: one request to a service, as triggerFS’ documentation has it. */

import { CommanderError } from 'commander';
import { assertExactText } from '../adapters/system/exact-text.ts';
import { connectOptionsOf } from '../client/main-section.ts';
import type { TriggerdError } from '../domain/errors.ts';
import { commandLineError } from './command-line-error.ts';
import { exposureWarnings } from './config-warnings.ts';
import { Interrupted, interruptedExitCode } from './interrupted.ts';
import { watchForInterruption } from './interruption.ts';
import { leave } from './leave.ts';
import { loadTriggerfsConfig } from './load-config.ts';
import { exitCodeOfError, renderError } from './report-error.ts';
import { type LogCopy, openLogCopy } from './request/log-copy.ts';
import { checkedFlags, orderOf } from './request/order.ts';
import { askService } from './request/perform.ts';
import { textPrinter } from './request/printer.ts';
import { withDoubleDashes } from './single-dash.ts';
import { outletsOf, processTerminal } from './terminal.ts';
import { type RequestFlags, triggerfsClientCommand } from './triggerfs-client-command.ts';
import { packageVersion } from './version.ts';

const terminal = processTerminal(false);
const interruption = watchForInterruption();
/** Everything that is said goes to the log file, too, once there is one. */
let copy: LogCopy = { write: () => undefined, reopen: () => undefined };

const say = (text: string): void => {
  copy.write(text);
  terminal.err(text);
};

const main = async (args: readonly string[]): Promise<number> => {
  assertExactText();
  const flags = readFlags(args);
  const asked = checkedFlags(flags);
  const loaded = loadTriggerfsConfig({ file: flags.config, env: process.env });
  const { config } = loaded;
  copy = openLogCopy(config['triggerfs-client'].logfile);
  for (const warning of exposureWarnings(loaded)) say(`triggerfs-client: warning: ${warning}\n`);
  const connect = connectOptionsOf(config.main);
  const order = await orderOf(asked, { terminal, env: process.env, interrupt: interruption.signal });
  const { out } = outletsOf(terminal, flags);
  const write = (text: string | Uint8Array): Promise<void> => {
    copy.write(text);
    return out(text);
  };
  const exitCode = await askService({
    connect,
    order,
    printer: textPrinter({ ...order, write: { out: write, err: write, about: write } }),
    note: (text) => say(`triggerfs-client: ${text}\n`),
    interrupt: interruption.signal,
  });
  return interruption.exitCode() === undefined ? exitCode : concludeInterrupted();
};

const readFlags = (args: readonly string[]): RequestFlags & { readonly config?: string } => {
  const command = triggerfsClientCommand()
    .version(packageVersion())
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  return command.parse(withDoubleDashes(command, args), { from: 'user' }).opts();
};

const conclude = (thrown: unknown): number => {
  if (thrown instanceof Interrupted) return concludeInterrupted();
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
  return tell(commandLineError(thrown));
};

const concludeInterrupted = (): number => {
  const error = interruption.error();
  return error === undefined ? (interruption.exitCode() ?? interruptedExitCode) : tell(error);
};

const tell = (error: TriggerdError): number => {
  say(renderError(error, false).replace(/^trigger:/, 'triggerfs-client:'));
  return exitCodeOfError(error);
};

await leave(await main(process.argv.slice(2)).catch(conclude));
