import type { Summary } from './samples.ts';

/** One line of the table. */
export interface Row {
  readonly figure: string;
  readonly unit: Unit;
  readonly ours: number;
  readonly peer: { readonly name: string; readonly value: number } | null;
  readonly aim: Aim | null;
  /** What the figures were made of, for the JSON. */
  readonly samples?: Readonly<Record<string, Summary>>;
}

export type Unit = 'ms' | 'jobs/s' | 'requests/s' | 'writes/s' | 'MB/s' | 'MB' | '% of a CPU' | 'calls';

/** What is aimed at: a bound of our figure, or of its ratio to the peer's. */
export interface Aim {
  readonly of: 'ours' | 'ratio';
  readonly at: 'most' | 'least';
  readonly bound: number;
}

/** Ours divided by the peer's: for times less is better, for jobs/s more. */
export const ratioOf = ({ ours, peer }: Row): number | null =>
  peer === null || peer.value === 0 ? null : ours / peer.value;

/** Null when there is no aim, or nothing to hold against it. */
export const isMet = (row: Row): boolean | null => {
  const value = row.aim?.of === 'ratio' ? ratioOf(row) : row.ours;
  if (row.aim === null || value === null) return null;
  return row.aim.at === 'most' ? value <= row.aim.bound : value >= row.aim.bound;
};
