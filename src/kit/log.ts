/** Small facts beside a log line; never secrets, payloads or environments. Errors go in as `error`. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where the rooms and adapters log. Facts first, then one sentence; a pino logger fits. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** For those who look at results only. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
