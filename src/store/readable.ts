import type { Entry, Listing } from './key-store.ts';
import { lastSegment } from './keys.ts';

type Parse<T> = (key: string, value: string) => T;

/** Nothing for what is malformed: one bad key must not hide the others. */
export const readable = <T>(parse: Parse<T>, { key, value }: Entry): [] | [T] => {
  try {
    return [parse(key, value)];
  } catch {
    return [];
  }
};

export const byName = <T>({ entries }: Listing, parse: Parse<T>): Map<string, T> =>
  new Map(entries.flatMap((entry) => readable(parse, entry).map((document) => [lastSegment(entry.key), document])));
