import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';

export interface LogOptions {
  readonly level: string;
  readonly format: 'auto' | 'human' | 'json';
  readonly node: string;
  readonly isTerminal: boolean;
}

/**
 * The daemon's log: to stderr, for people on a terminal, JSON lines otherwise. Written synchronously, so that the last
 * line before a crash is there.
 */
export const createLog = (options: LogOptions): Logger => {
  const human = options.format === 'human' || (options.format === 'auto' && options.isTerminal);
  const destination = human
    ? pretty({
        destination: 2,
        sync: true,
        colorize: options.isTerminal,
        ignore: 'pid,hostname,node',
        translateTime: 'SYS:HH:MM:ss',
      })
    : pino.destination({ fd: 2, sync: true });
  return pino({ level: options.level, base: { node: options.node }, serializers: { error: errorFields } }, destination);
};

/** Code, message and the chain of causes; the stack only for bugs. */
export const errorFields = (error: unknown): unknown => {
  if (!(error instanceof Error)) return error;
  const code = 'code' in error ? error.code : undefined;
  const cause = error.cause instanceof Error ? error.cause.message : undefined;
  const stack = code === 'internal' || code === undefined ? error.stack : undefined;
  return { code, message: error.message, cause, stack };
};
