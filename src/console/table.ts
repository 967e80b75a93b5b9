/**
 * Tables as triggerFS drew them: titles in the middle of their columns, texts to the left, numbers to the right, no
 * border but the rules, and nothing behind the last cell.
 *
 *       id | identity |    state
 *     +----+----------+--------------+
 *        6 | demo01   | DISCONNECTED
 *     +----+----------+--------------+
 *     (1 rows)
 *
 * A table that is wider than the terminal gets narrower lists and descriptions; where that is not enough, each row is
 * shown with a line for each column, as `show` of a single one is.
 */
import { visible } from '../kit/text.ts';
import { cutEnd, padEnd, widthOf, wrap } from '../kit/width.ts';

/** Values by the titles of their columns, as a daemon or a broker sent them: nothing about them is certain. */
export type Row = Readonly<Record<string, unknown>>;

/** `columns`: of the terminal; null: whoever reads this has room for any line. */
export const renderTable = (titles: readonly string[], rows: readonly Row[], columns: number | null = null): string => {
  const texts = rows.map((row) => titles.map((title) => cellText(title, row[title])));
  const natural = titles.map((title, at) => Math.max(title.length, ...texts.map((row) => widthOf(row[at] ?? ''))));
  const widths = fitted({ natural, titles, rows }, columns);
  const count = `(${rows.length} rows)`;
  if (widths === undefined) return [...rows.map((row) => `${renderRecord(titles, row, columns)}\n`), count].join('\n');
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`;
  const line = (cells: readonly string[]): string => `  ${cells.join(' | ')}`.trimEnd();
  const body = rows.map((row, index) =>
    line(
      titles.map((title, at) => align(cutEnd(texts[index]?.[at] ?? '', widths[at] ?? 0), row[title], widths[at] ?? 0)),
    ),
  );
  return [
    line(titles.map((title, at) => centred(title, widths[at] ?? 0))),
    rule,
    ...(body.length === 0 ? [] : [...body, rule]),
    count,
  ].join('\n');
};

interface Cells {
  readonly natural: readonly number[];
  readonly titles: readonly string[];
  readonly rows: readonly Row[];
}

/** Width of every column so that the table fits; undefined: it cannot. A table without rows is never in the way. */
const fitted = ({ natural, titles, rows }: Cells, columns: number | null): readonly number[] | undefined => {
  if (columns === null || rows.length === 0) return natural;
  const widths = [...natural];
  const least = titles.map((title, at) =>
    mayShrink(title, rows) ? Math.max(title.length, narrowest) : (natural[at] ?? 0),
  );
  for (let tooWide = tableWidth(widths) - columns; tooWide > 0; tooWide--) {
    const widest = widths
      .map((width, at) => ({ width, at }))
      .filter(({ width, at }) => width > (least[at] ?? 0))
      .sort((a, b) => b.width - a.width)[0];
    if (widest === undefined) return undefined;
    widths[widest.at] = widest.width - 1;
  }
  return widths;
};

const narrowest = 12;

/** Names, times and numbers are of no use when they are cut. */
const mayShrink = (title: string, rows: readonly Row[]): boolean =>
  title === 'description' || rows.some((row) => typeof row[title] === 'object' && row[title] !== null);

/** With the rule's ends. */
const tableWidth = (widths: readonly number[]): number => widths.reduce((sum, width) => sum + width + 3, 1);

/** All of one row, a line each; a value that does not fit the terminal continues below. */
export const renderRecord = (titles: readonly string[], row: Row, columns: number | null = null): string => {
  const width = Math.max(...titles.map((title) => title.length));
  const linesOf = (text: string): string[] =>
    columns === null ? [text] : wrap(text, Math.max(narrowest, columns - width - 5));
  return titles
    .flatMap((title) =>
      linesOf(cellText(title, row[title])).map((text, at) =>
        `  ${(at === 0 ? title : '').padStart(width)} | ${text}`.trimEnd(),
      ),
    )
    .join('\n');
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
