import type { RequestOptions } from '../../client/client.ts';
import { connectOptionsOf } from '../../client/main-section.ts';
import type { Define } from '../command.ts';
import { addRequestOptions, type RequestFlags, repliesHelp } from '../command-lines/triggerfs-client.ts';
import { jsonPrinter } from '../request/json-printer.ts';
import { liveNotes } from '../request/live-notes.ts';
import { checkedFlags, orderOf, repliesOf } from '../request/order.ts';
import { askService } from '../request/perform.ts';
import { type RequestPrinter, textPrinter } from '../request/printer.ts';
import { exposureWarnings } from '../support/config-warnings.ts';
import { addHelp, type HelpText } from '../support/help.ts';
import { loadTriggerfsConfig } from '../support/load-config.ts';
import type { Session } from '../support/session.ts';
import { outletsOf } from '../support/terminal.ts';

const help: HelpText = {
  details: `
[main] of the configuration, or of $HOME/triggerfs.toml, names the user and the broker. The plugin’s stdout is printed to
stdout and its stderr to stderr, each line with the name of its worker. Messages about the request go to stderr. With
--json: prints one document, its output as it comes.

Exits with the plugin’s exit code, with 124 when its timeout ended it, with 127 when it could not be started, and with 128
plus the signal’s number when a signal killed it. Ctrl-C, SIGTERM, SIGHUP, a closed terminal and a reader that goes away
(\`| head\`) cancel the job on its worker. A second Ctrl-C exits at once.

${repliesHelp}`,
  examples: [
    'trigger request --service demo --plugin command --command uptime',
    'echo uptime | trigger request --service demo01 --plugin command',
    'trigger request --service dc1 --plugin echo --args text=hello --json',
    "trigger request --service lb --plugin x --filter-replies 'exit_code!=0'",
  ],
};

export const define: Define = (command, run) => {
  addHelp(addRequestOptions(command), help);
  command.action(run(request));
};

const request = async (session: Session, flags: RequestFlags): Promise<number> => {
  const { terminal, interruption, env } = session;
  const asked = checkedFlags(flags);
  const loaded = loadTriggerfsConfig({ file: session.configFile, env });
  const { config } = loaded;
  for (const warning of exposureWarnings(loaded)) terminal.err(`trigger: warning: ${warning}\n`);
  const connect = connectOptionsOf(config.main);
  const order = await orderOf(asked, session);
  const exitCode = await askService({
    connect,
    order,
    printer: printerFor(session, flags, order),
    ...liveNotes(terminal, (text) => terminal.err(`trigger: ${text}\n`)),
    replies: repliesOf(flags, terminal.outIsTerminal && !session.json),
    interrupt: interruption.signal,
  });
  return interruption.exitCode() ?? exitCode;
};

const printerFor = (
  { terminal, json }: Session,
  flags: RequestFlags,
  { service, plugin }: RequestOptions,
): RequestPrinter => {
  if (json) return jsonPrinter({ service, plugin, write: terminal.out });
  const outlets = outletsOf(terminal, flags);
  const err = (text: string | Uint8Array): Promise<void> => Promise.resolve(outlets.err(text));
  return textPrinter({ service, plugin, write: { out: outlets.out, err, about: err } });
};
