import type { RequestOptions } from '../../client/client.ts';
import { connectOptionsOf } from '../../client/main-section.ts';
import type { RequestFlags } from '../command-lines/triggerfs-client.ts';
import { exposureWarnings } from '../support/config-warnings.ts';
import { loadTriggerfsConfig } from '../support/load-config.ts';
import type { Session } from '../support/session.ts';
import { outletsOf } from '../support/terminal.ts';
import { jsonPrinter } from './json-printer.ts';
import { liveNotes } from './live-notes.ts';
import { checkedFlags, orderOf, repliesOf } from './order.ts';
import { askService } from './perform.ts';
import { type RequestPrinter, textPrinter } from './printer.ts';

/** `trigger request`; gives the exit code. */
export const sendRequest = async (session: Session, flags: RequestFlags): Promise<number> => {
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
