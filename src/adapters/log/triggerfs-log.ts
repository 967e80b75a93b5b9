import pino, { type Logger } from 'pino';
import { visible } from '../../kit/text.ts';
import { errorFields } from './log.ts';

/** Facts that every line of one worker would repeat. */
const known: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'worker', 'broker']);
const letters: Readonly<Record<number, string>> = { 10: 'I', 20: 'I', 30: 'I', 40: 'W', 50: 'E', 60: 'E' };

/** A log in triggerFS' words: `2018/04/30 21:03:01 I: connecting to broker at tcp://…`, to stderr, synchronously. */
export const createTriggerfsLog = (
  level: string,
  write = (line: string): unknown => process.stderr.write(line),
): Logger =>
  pino({ level, base: {}, serializers: { error: errorFields } }, { write: (json: string) => void write(lineOf(json)) });

const lineOf = (json: string): string => {
  const line = JSON.parse(json) as { level: number; time: number; msg?: string } & Readonly<Record<string, unknown>>;
  const facts = Object.entries(line).flatMap(([name, value]) => (known.has(name) ? [] : [factOf(name, value)]));
  const message = [line.msg ?? '', ...(facts.length === 0 ? [] : [`(${facts.join(', ')})`])].join(' ');
  return `${triggerfsTime(new Date(line.time))} ${letters[line.level] ?? 'I'}: ${visible(message)}\n`;
};

const factOf = (name: string, value: unknown): string => {
  if (typeof value === 'object' && value !== null && 'message' in value) return String(value.message);
  return `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`;
};

/** Local time, as Go's log writes it. */
export const triggerfsTime = (at: Date): string => {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('/');
  return `${date} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')}`;
};
