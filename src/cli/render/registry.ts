/** `trigger worker|service|… show`. */
import { cellText, type Row } from '../../console/table.ts';
import type { Answer } from '../../registry/statements.ts';
import { renderFacts } from './facts.ts';
import { renderTable } from './table.ts';

export type Kind = Exclude<Answer['kind'], 'history' | 'request'>;

/** What fits a line; the rest is on the page of a single one. */
const titles: Readonly<Record<Kind, readonly string[]>> = {
  team: ['id', 'name', 'state', 'owner', 'members', 'invited', 'description'],
  user: ['id', 'identity', 'role', 'state', 'home', 'description'],
  worker: ['id', 'identity', 'state', 'owner', 'description'],
  service: ['id', 'name', 'algorithm', 'visibility', 'timeout', 'workers', 'owner', 'description'],
  definition: ['id', 'path', 'plugin', 'service', 'hits', 'visibility', 'owner', 'description'],
  directory: ['id', 'path', 'mode', 'owner', 'description'],
};

const mayShrink: ReadonlySet<string> = new Set(['description', 'members', 'invited', 'workers', 'plugin', 'path']);

export const renderRows = (kind: Kind, rows: readonly Row[], width: number | null): string =>
  renderTable(
    titles[kind].map((title) => ({
      title: title.toUpperCase().replaceAll('_', ' '),
      cell: (row: Row) => cellText(title, row[title]),
      ...(mayShrink.has(title) ? { shrinkTo: 8 } : {}),
    })),
    rows,
    width,
  );

/** All of one; what is empty is left out. */
export const renderRow = (row: Row): string =>
  renderFacts(Object.entries(row).map(([name, value]) => [label(name), cellText(name, value) || null]));

const label = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1).replaceAll('_', ' ')}`;
