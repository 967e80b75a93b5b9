import { addAbortSignal } from 'node:stream';
import { fullPluginName } from '../../bus/client/bus-client.ts';
import type { RequestOptions } from '../../client/client.ts';
import { connectOptionsOf } from '../../client/main-section.ts';
import { TriggerdError } from '../../domain/errors.ts';
import type { RequestFlags } from '../command-lines/triggerfs-client.ts';
import { exposureWarnings } from '../support/config-warnings.ts';
import { Interrupted } from '../support/interruption.ts';
import { loadTriggerfsConfig } from '../support/load-config.ts';
import { checkShowing, filterOf } from '../support/reply-filter.ts';
import { requestChain } from '../support/run-chain.ts';
import type { Session } from '../support/session.ts';
import { outletsOf, type Terminal } from '../support/terminal.ts';
import { askService } from './perform.ts';
import { liveNotes, type RepliesShown } from './print-replies.ts';
import { jsonPrinter, type RequestPrinter, textPrinter } from './printer.ts';

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

/** Options that are whole. Throws `usage`, `plugin-name-invalid`. */
export const checkedFlags = (flags: RequestFlags): CheckedFlags => {
  checkShowing(flags);
  return {
    ...flags,
    service: given(flags.service, 'service'),
    plugin: fullPluginName(given(flags.plugin, 'plugin')),
  };
};

/** Which workers are to be shown. */
export const repliesOf = ({ all = false, filterReplies }: RequestFlags, onTerminal: boolean): RepliesShown => ({
  all,
  onTerminal,
  filter: filterOf(filterReplies),
});

type CheckedFlags = RequestFlags & Pick<RequestOptions, 'service' | 'plugin'>;

/** What the command line asks for, with stdin read where it is the payload. */
export const orderOf = async (
  { service, plugin, command, args = {}, timeout }: CheckedFlags,
  { terminal, env, interrupt }: Pick<Session, 'terminal' | 'env' | 'interrupt'>,
): Promise<RequestOptions> => ({
  service,
  plugin,
  args,
  ...requestChain(env),
  ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  payload: command ?? (await readPayload(terminal, interrupt)),
});

const given = (value: string | undefined, name: string): string => {
  if (value === undefined || value === '') throw new TriggerdError('usage', `--${name} is missing`);
  return value;
};

/** More than any broker takes. */
const mostBytes = 67_108_864;

/** All of stdin, as it is. Throws `request-too-large`, `Interrupted`. */
const readPayload = async (terminal: Terminal, interrupt: AbortSignal): Promise<Buffer> => {
  if (process.stdin.isTTY) terminal.err('Type the input of the plugin, then press Ctrl-D:\n');
  try {
    return await readAll(addAbortSignal(interrupt, process.stdin));
  } catch (error) {
    throw interrupt.aborted ? new Interrupted() : error;
  }
};

const readAll = async (stdin: AsyncIterable<Buffer>): Promise<Buffer> => {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stdin) {
    bytes += part.length;
    if (bytes > mostBytes)
      throw new TriggerdError('request-too-large', `the payload on stdin has more than ${mostBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
};
