import pino, { type Logger } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { harmlessJson } from '../../kit/json-text.ts';
import { terminalText } from '../../kit/terminal-filter.ts';
import { visible } from '../../kit/text.ts';

export interface LogOptions {
  readonly level: string;
  readonly format: 'auto' | 'human' | 'json';
  readonly node: string;
  readonly isTerminal: boolean;
}

/** Lines that cannot be written now are kept up to this. */
const maxUnwrittenBytes = 1_048_576;

/**
 * The daemon's log: to stderr, for people on a terminal, JSON lines otherwise. Written synchronously, so that the last
 * line before a crash is there.
 */
export const createLog = (options: LogOptions): Logger => {
  const human = options.format === 'human' || (options.format === 'auto' && options.isTerminal);
  const stderr = pino.destination({ fd: 2, sync: true, maxLength: maxUnwrittenBytes });
  // A full disk, or a terminal that was closed, must not end the daemon: the lines are lost.
  stderr.on('error', () => undefined);
  const shown = human ? forPeople(options.isTerminal) : harmlessJson;
  const destination = { write: (line: string) => void stderr.write(shown(line)) };
  return pino({ level: options.level, base: { node: options.node }, serializers: { error: errorFields } }, destination);
};

/** Lines of the log as a person reads them, also where a message holds what others wrote. */
export const forPeople = (isTerminal: boolean): ((line: string) => string) => {
  const pretty = prettyFactory({
    colorize: isTerminal,
    ignore: 'pid,hostname,node',
    translateTime: 'SYS:HH:MM:ss',
    messageFormat: (line, key) => visible(String(line[key] ?? '')),
  });
  return (line) => terminalText(pretty(line) ?? '');
};

/** Code, message and the chain of causes; the stack only for bugs. */
export const errorFields = (error: unknown): unknown => {
  if (!(error instanceof Error)) return error;
  const code = 'code' in error ? error.code : undefined;
  const cause = error.cause instanceof Error ? error.cause.message : undefined;
  const stack = code === 'internal' || code === undefined ? error.stack : undefined;
  return { code, message: error.message, cause, stack };
};
