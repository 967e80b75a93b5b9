/**
 * Tables as triggerFS drew them: titles in the middle of their columns, texts to the left, numbers to the right, no
 * border but the rules, and nothing behind the last cell.
 *
 *       id | identity |    state
 *     +----+----------+--------------+
 *        6 | demo01   | DISCONNECTED
 *     +----+----------+--------------+
 *     (1 rows)
 */
import { padEnd, visible, widthOf } from '../domain/text.ts';

/** Values by the titles of their columns, as a daemon or a broker sent them: nothing about them is certain. */
export type Row = Readonly<Record<string, unknown>>;

export const renderTable = (titles: readonly string[], rows: readonly Row[]): string => {
  const texts = rows.map((row) => titles.map((title) => cellText(title, row[title])));
  const widths = titles.map((title, at) => Math.max(title.length, ...texts.map((row) => widthOf(row[at] ?? ''))));
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`;
  const line = (cells: readonly string[]): string => `  ${cells.join(' | ')}`.trimEnd();
  const body = rows.map((row, index) =>
    line(titles.map((title, at) => align(texts[index]?.[at] ?? '', row[title], widths[at] ?? 0))),
  );
  return [
    line(titles.map((title, at) => centred(title, widths[at] ?? 0))),
    rule,
    ...(body.length === 0 ? [] : [...body, rule]),
    `(${rows.length} rows)`,
  ].join('\n');
};

/** All of one row, a line each. */
export const renderRecord = (titles: readonly string[], row: Row): string => {
  const width = Math.max(...titles.map((title) => title.length));
  return titles.map((title) => `  ${title.padStart(width)} | ${cellText(title, row[title])}`.trimEnd()).join('\n');
};

const times: ReadonlySet<string> = new Set(['created', 'updated', 'received', 'finished', 'expires']);

/** A value for people, on one line and harmless to their terminal. */
export const cellText = (title: string, value: unknown): string =>
  visible(times.has(title) ? timeText(value) : plain(value));

const plain = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.map(plain).join(', ');
  if (typeof value !== 'object') return String(value);
  return Object.entries(value)
    .map(([name, each]) => `${name}=${plain(each)}`)
    .join(', ');
};

/** ISO 8601 → `Mon, 30 Apr 2018 18:45:30 UTC`. */
const timeText = (value: unknown): string => {
  const at = new Date(String(value));
  return Number.isNaN(at.getTime()) ? plain(value) : at.toUTCString().replace('GMT', 'UTC');
};

const align = (text: string, value: unknown, width: number): string =>
  typeof value === 'number' ? text.padStart(width) : padEnd(text, width);

const centred = (title: string, width: number): string => {
  const left = Math.floor((width - title.length) / 2);
  return `${' '.repeat(left)}${title}${' '.repeat(width - title.length - left)}`;
};
