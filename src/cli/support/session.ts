/** What a command works with: the daemon, the terminal, and what the user asked for globally. */
import type { Command } from 'commander';
import { ownUser } from '../../adapters/system/own-user.ts';
import { jsonText } from '../../kit/json-text.ts';
import { withWidths } from '../../kit/width.ts';
import { painter } from '../render/color.ts';
import type { Canvas } from '../render/firing.ts';
import { type DaemonClient, daemonClient } from './http-client.ts';
import type { Interruption } from './interruption.ts';
import { findSocketPath } from './socket-path.ts';
import { processTerminal, type Terminal } from './terminal.ts';

export interface Session {
  readonly client: DaemonClient;
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--config`. */
  readonly configFile: string | undefined;
  /** `--socket`. */
  readonly socket: string | undefined;
  /** Aborted by Ctrl-C, SIGTERM, SIGHUP, and when nobody can read the output any more. */
  readonly interrupt: AbortSignal;
  readonly interruption: Interruption;
}

export interface GlobalOptions {
  readonly json?: boolean;
  readonly config?: string;
  readonly socket?: string;
  readonly color: boolean;
}

export const openSession = (options: GlobalOptions, interruption: Interruption): Session => {
  const interrupt = interruption.signal;
  return {
    client: daemonClient(() => findSocketPath(options.socket, options.config, process.env), interrupt),
    terminal: processTerminal(options.color),
    json: options.json === true,
    env: process.env,
    configFile: options.config,
    socket: options.socket,
    interrupt,
    interruption,
  };
};

/**
 * The options of a command and of those it is below, so that both `trigger --json queue` and `trigger queue --json`, and
 * `trigger queue --queue Q pause`, mean what they say; the nearer one counts.
 */
export const optionsOf = (command: Command): GlobalOptions => {
  const chain: Record<string, unknown>[] = [];
  for (let each: Command | null = command; each !== null; each = each.parent) chain.unshift(each.opts());
  return { ...Object.assign({}, ...chain), color: chain.every((options) => options['color'] !== false) };
};

/** A document on stdout: as JSON when asked for, else as rendered; an empty text, as of what is only done, prints nothing. */
export const print = async (
  session: Pick<Session, 'json' | 'terminal'>,
  document: unknown,
  rendered: (canvas: Canvas) => string = () => '',
): Promise<void> => {
  const { columns, color, out } = session.terminal;
  const canvas = { columns, now: Date.now(), paint: painter(color) };
  const text = session.json ? jsonText(document, 2) : (await withWidths(() => rendered(canvas))).trimEnd();
  if (text !== '') await out(`${text}\n`);
};

/** What was done: a line on stderr, or the document on stdout with `--json`. */
export const printDone = async (session: Session, document: unknown, said: string): Promise<void> => {
  if (session.json) await print(session, document);
  else session.terminal.err(`${said}\n`);
};

/** The person behind sudo, where there is one. */
export const askingUser = (env: Session['env']): string => {
  const user = ownUser().username;
  return user === 'root' ? env['SUDO_USER'] || user : user;
};
