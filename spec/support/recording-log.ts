import type { Log, LogFields } from '../../src/kit/log.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: LogFields;
  readonly message: string;
}

/** A log that keeps its lines for the test to look at. */
export const recordingLog = (): Log & { readonly lines: LogLine[]; at(level: LogLine['level']): LogLine[] } => {
  const lines: LogLine[] = [];
  const write = (level: LogLine['level']) => (fields: LogFields, message: string) =>
    void lines.push({ level, fields, message });
  return {
    lines,
    at: (level) => lines.filter((line) => line.level === level),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  };
};
