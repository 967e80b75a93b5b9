/** Entry of `bin/triggerfs-cli`: statements of the console from the command line or from stdin. */

import { isUtf8 } from 'node:buffer';
import { createInterface } from 'node:readline';
import { assertExactText, escapedBytes } from '../adapters/system/exact-text.ts';
import { type ConsoleFlags, triggerfsCliCommand } from '../cli/command-lines/triggerfs-cli.ts';
import { createConsole } from '../cli/console/console.ts';
import { busLink, type ConsoleLink, localLink, NoLink } from '../cli/console/links.ts';
import { runScript, type Script } from '../cli/console/run-script.ts';
import { exposureWarnings } from '../cli/support/config-warnings.ts';
import { Interrupted, watchForInterruption } from '../cli/support/interruption.ts';
import { leave } from '../cli/support/leave.ts';
import { loadTriggerfsConfig } from '../cli/support/load-config.ts';
import { readNewSecret } from '../cli/support/read-secret.ts';
import { renderError } from '../cli/support/report-error.ts';
import { sayProcessWarnings } from '../cli/support/say-warnings.ts';
import { processTerminal } from '../cli/support/terminal.ts';
import { conclude, readFlags } from '../cli/support/triggerfs-command.ts';
import { TriggerdError } from '../domain/errors.ts';
import { printable } from '../domain/names.ts';

const terminal = processTerminal(false);
const interruption = watchForInterruption();

sayProcessWarnings('triggerfs-cli', (text) => terminal.err(text));

const main = async (args: readonly string[]): Promise<number> => {
  assertExactText();
  const flags = checkedFlags(args);
  const interrupt = interruption.signal;
  const script = scriptOf(flags, interrupt);
  let link: Promise<ConsoleLink> | undefined;
  const console = createConsole({
    link: () => {
      link ??= openLink(flags, interrupt).catch((cause: unknown) => {
        throw new NoLink('nobody can be asked', { cause });
      });
      return link;
    },
    json: flags.json === true,
    columns: terminal.columns,
    out: (text) => terminal.out(text),
    readSecret: (user) => readNewSecret(flags, `user ${user}`),
    isOverheard: flags.command !== undefined,
  });
  try {
    const exitCode = await runScript(console, script);
    if (interrupt.aborted) throw new Interrupted();
    return exitCode;
  } finally {
    const opened = await link?.catch(() => undefined);
    await opened?.close();
  }
};

const checkedFlags = (args: readonly string[]): ConsoleFlags => {
  const command = triggerfsCliCommand().allowExcessArguments();
  const flags = readFlags<ConsoleFlags>(command, args);
  if (command.args.length > 0)
    throw new TriggerdError('usage', `quote the statement: triggerfs-cli -c '${printable(command.args.join(' '))}'`);
  if (flags.passwordStdin === true && flags.command === undefined)
    throw new TriggerdError('usage', '--password-stdin needs -c: without -c, stdin has the statements');
  if (flags.command === undefined && process.stdin.isTTY === true)
    throw new TriggerdError(
      'usage',
      'the console has no interactive mode: use triggerfs-cli -c STATEMENT, or send statements on stdin (`triggerfs-cli -c help` shows all)',
    );
  return flags;
};

const openLink = async (flags: ConsoleFlags, interrupt: AbortSignal): Promise<ConsoleLink> => {
  const { socket, config: configFile, team, json = false, raw = false } = flags;
  if (socket !== undefined)
    return localLink({ socket: socket === true ? undefined : socket, configFile, team, env: process.env, interrupt });
  const loaded = loadTriggerfsConfig({ file: configFile, env: process.env, overrides: { 'main.team': team } });
  const { config } = loaded;
  for (const warning of exposureWarnings(loaded)) terminal.err(`triggerfs-cli: warning: ${warning}\n`);
  return busLink({ main: config.main, terminal, json, raw, env: process.env, interrupt });
};

const scriptOf = (flags: ConsoleFlags, interrupt: AbortSignal): Script => {
  const { command, keepGoing = false, json = false } = flags;
  const onError = (error: TriggerdError): void => terminal.err(shown(error, json));
  if (command === undefined)
    return { lines: stdinLines(interrupt), place: (line) => `line ${line}`, keepGoing, onError };
  const place = (number: number): string | null => (command.length === 1 ? null : `statement ${number}`);
  return { lines: command, place, keepGoing, onError };
};

/** Whoever still holds the other end does not keep us once nobody reads any more. */
async function* stdinLines(interrupt: AbortSignal): AsyncGenerator<string, void, undefined> {
  try {
    // A line is its bytes until it is known to be UTF-8.
    const input = process.stdin.setEncoding('latin1');
    for await (const line of createInterface({ input, signal: interrupt, crlfDelay: Number.POSITIVE_INFINITY }))
      yield utf8Line(Buffer.from(line, 'latin1'));
  } finally {
    process.stdin.destroy();
  }
}

/** Throws `text-not-utf8`: a statement is refused, never changed. */
const utf8Line = (bytes: Buffer): string => {
  if (isUtf8(bytes)) return bytes.toString();
  throw new TriggerdError('text-not-utf8', `a line of stdin is not UTF-8: ${escapedBytes(bytes)}`);
};

const shown = (error: TriggerdError, json: boolean): string => renderError(error, json, 'triggerfs-cli');

const args = process.argv.slice(2);
await leave(
  await main(args).catch((thrown: unknown) => {
    const json = args.includes('--json') || args.includes('-json');
    const why = thrown instanceof NoLink ? thrown.cause : thrown;
    return conclude(why, interruption, (error) => terminal.err(shown(error, json)));
  }),
);
