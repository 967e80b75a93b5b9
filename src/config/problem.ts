/** How problems of a configuration are put into words. */
import { closest, distance } from 'fastest-levenshtein';
import { printable } from '../domain/names.ts';
import { withoutPassword } from '../kit/address.ts';

/** A refused key: its path and a phrase, shown as `etcd.prefix: expected …, got …`. */
export interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What a value is, in few words; a secret's value is never shown, nor a password in an address. */
export const describeValue = (value: unknown, secret: boolean): string => {
  if (secret && value !== undefined) return '********';
  if (typeof value === 'string') return `"${printable(withoutPassword(value))}"`;
  if (Array.isArray(value)) return describeList(value, secret);
  if (value instanceof Date) return 'a date';
  if (typeof value === 'object' && value !== null) return 'a section';
  return value === undefined ? 'nothing' : String(value);
};

const describeList = (list: readonly unknown[], secret: boolean): string => {
  const shown = list.slice(0, 3).map((each) => (Array.isArray(each) ? '[…]' : describeValue(each, secret)));
  return `[${shown.join(', ')}${list.length > 3 ? ', …' : ''}]`;
};

export const expectedGot = (expected: string, value: unknown, secret: boolean): string =>
  `expected ${expected}, got ${describeValue(value, secret)}`;

/** `, did you mean “endpoints”?`, or nothing when no known name is near. */
export const didYouMean = (name: string, known: readonly string[]): string => {
  const nearest = nearestName(name, known);
  return nearest === undefined ? '' : `, did you mean “${nearest}”?`;
};

const nearestName = (name: string, known: readonly string[]): string | undefined => {
  if (known.length === 0) return undefined;
  const nearest = closest(name, [...known]);
  return distance(name, nearest) <= Math.max(2, Math.ceil(nearest.length / 3)) ? nearest : undefined;
};

/** Whether a name is a known one with at most two slips. */
export const isNearly = (name: string, known: readonly string[]): boolean =>
  known.some((each) => distance(name, each) <= 2);

/** `queues.default.slots`; parts that are not plain are quoted, as TOML wants them. */
export const dotted = (path: readonly (string | number)[]): string =>
  path
    .map((part) => String(part))
    .map((part) => (/^\$?[A-Za-z0-9_-]+$/.test(part) ? part : `"${printable(part)}"`))
    .join('.');
