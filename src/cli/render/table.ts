/** Tables for people: aligned, cut to the terminal's width, one line per row. */

import { visible } from '../../kit/text.ts';
import { cutEnd, padEnd, widthOf } from '../../kit/width.ts';
import type { Color } from './color.ts';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** Gives way when the table is too wide, but not below this width. */
  readonly shrinkTo?: number;
  readonly paint?: (row: Row) => Color | null;
}

const gap = '  ';

export const renderTable = <Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number | null,
  paint: (color: Color | null, text: string) => string = (_color, text) => text,
): string => {
  const cells = rows.map((row) => columns.map((column) => visible(column.cell(row))));
  const natural = columns.map((column, at) =>
    Math.max(widthOf(column.title), ...cells.map((row) => widthOf(row[at] ?? ''))),
  );
  const widths = fitWidths(natural, columns, width);
  const line = (texts: readonly string[], colorOf: (at: number) => Color | null) =>
    texts
      .map((text, at) => {
        const cut = cutEnd(text, widths[at] ?? 0);
        return paint(colorOf(at), at === texts.length - 1 ? cut : padEnd(cut, widths[at] ?? 0));
      })
      .join(gap)
      .trimEnd();
  return [
    line(
      columns.map((column) => column.title),
      () => null,
    ),
    ...cells.map((row, index) => line(row, (at) => columns[at]?.paint?.(rows[index] as Row) ?? null)),
  ].join('\n');
};

/** Takes from the widest column that may give, until the table fits or nothing more can be taken. */
const fitWidths = (natural: readonly number[], columns: readonly Column<never>[], width: number | null): number[] => {
  const widths = [...natural];
  if (width === null) return widths;
  const total = () => widths.reduce((sum, each) => sum + each, gap.length * (widths.length - 1));
  while (total() > width) {
    const widest = widestThatGives(widths, columns);
    if (widest === undefined) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
};

const widestThatGives = (widths: readonly number[], columns: readonly Column<never>[]): number | undefined =>
  widths
    .map((width, at) => ({ width, at, least: columns[at]?.shrinkTo ?? Number.POSITIVE_INFINITY }))
    .filter(({ width, least }) => width > least)
    .sort((a, b) => b.width - a.width)[0]?.at;
