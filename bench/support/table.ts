import { type Aim, isMet, type Row, ratioOf, type Unit } from './row.ts';

/** The rows for a terminal of 100 columns. */
export const renderTable = (rows: readonly Row[]): string =>
  [headings, rule, ...rows.map(cellsOf)].map(renderLine).join('\n');

type Cells = readonly [figure: string, ours: string, peer: string, ratio: string, aim: string, met: string];

const widths = [36, 11, 26, 7, 9, 6] as const;
const headings: Cells = ['', 'ours', 'peer', 'ratio', 'aim', ''];
const rule = widths.map((width) => '─'.repeat(width)) as unknown as Cells;

const cellsOf = (row: Row): Cells => {
  const ratio = ratioOf(row);
  const met = isMet(row);
  return [
    row.figure,
    withUnit(row.ours, row.unit),
    row.peer === null ? '' : `${number(row.peer.value)} ${row.peer.name}`,
    ratio === null ? '' : `${number(ratio)} ×`,
    row.aim === null ? '' : aimText(row.aim, row.unit),
    met === null ? '' : met ? 'met' : 'MISSED',
  ];
};

const renderLine = (cells: Cells): string =>
  cells
    .map((cell, column) =>
      [1, 3].includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
    )
    .join(' ')
    .trimEnd();

const aimText = ({ of, at, bound }: Aim, unit: Unit): string =>
  `${at === 'most' ? '≤' : '≥'} ${of === 'ratio' ? `${bound} ×` : withUnit(bound, unit)}`;

const shortUnits: Readonly<Record<Unit, string>> = {
  ms: 'ms',
  'jobs/s': '/s',
  'writes/s': '/s',
  'requests/s': '/s',
  'MB/s': 'MB/s',
  MB: 'MB',
  '% of a CPU': '%',
  calls: '',
};
const withUnit = (value: number, unit: Unit): string => `${number(value)} ${shortUnits[unit]}`.trim();

/** Three significant digits, which is more than a shared machine deserves. */
const number = (value: number): string => (value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3))));
