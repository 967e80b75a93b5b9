/** Entry of `bin/triggerfs-client`: one request to a service, as triggerFS’ documentation has it. */

import { assertExactText } from '../adapters/system/exact-text.ts';
import { type RequestFlags, triggerfsClientCommand } from '../cli/command-lines/triggerfs-client.ts';
import { type LogCopy, openLogCopy } from '../cli/request/log-copy.ts';
import { askService } from '../cli/request/perform.ts';
import { liveNotes } from '../cli/request/print-replies.ts';
import { textPrinter } from '../cli/request/printer.ts';
import { checkedFlags, orderOf, repliesOf } from '../cli/request/send.ts';
import { exposureWarnings } from '../cli/support/config-warnings.ts';
import { Interrupted, watchForInterruption } from '../cli/support/interruption.ts';
import { leave } from '../cli/support/leave.ts';
import { loadTriggerfsConfig } from '../cli/support/load-config.ts';
import { renderError } from '../cli/support/report-error.ts';
import { sayProcessWarnings } from '../cli/support/say-warnings.ts';
import { outletsOf, processTerminal } from '../cli/support/terminal.ts';
import { conclude, readFlags } from '../cli/support/triggerfs-command.ts';

import { connectOptionsOf } from '../client/main-section.ts';
import type { TriggerdError } from '../domain/errors.ts';

const terminal = processTerminal(false);
const interruption = watchForInterruption();
/** Everything that is said goes to the log file, too, once there is one. */
let copy: LogCopy = { write: () => undefined, reopen: () => undefined };

const say = (text: string): void => {
  copy.write(text);
  terminal.err(text);
};

sayProcessWarnings('triggerfs-client', say);

const main = async (args: readonly string[]): Promise<number> => {
  assertExactText();
  const flags = readFlags<RequestFlags & { readonly config?: string }>(triggerfsClientCommand(), args);
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
    ...liveNotes(terminal, (text) => say(`triggerfs-client: ${text}\n`)),
    replies: repliesOf(flags, terminal.outIsTerminal),
    interrupt: interruption.signal,
  });
  if (interruption.exitCode() !== undefined) throw new Interrupted();
  return exitCode;
};

const sayError = (error: TriggerdError): void => say(renderError(error, false, 'triggerfs-client'));

await leave(await main(process.argv.slice(2)).catch((thrown: unknown) => conclude(thrown, interruption, sayError)));
