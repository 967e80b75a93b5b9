import * as v from 'valibot';
import { TriggerdError } from '../domain/errors.ts';
import { isNodeName, printable } from '../domain/names.ts';
import type { Entry, Listing } from './key-store.ts';
import { lastSegment } from './keys.ts';

/** The format that this version reads and writes. */
export const format = 1;

/** Below etcd's own limit of 1.5 MiB for a request. */
const maxBytes = 1024 * 1024;
const maxDepth = 32;

/**
 * A value in etcd → a checked document. Unknown fields are dropped, an unknown format refused. Throws
 * `firing-malformed`, which names the key and says what is wrong, and never shows the value.
 */
export const parseDocument = <Schema extends v.GenericSchema>(
  schema: Schema,
  key: string,
  text: string,
): v.InferOutput<Schema> => {
  if (Buffer.byteLength(text) > maxBytes) throw malformed(key, `it is larger than ${maxBytes} bytes`);
  if (depthOf(text) > maxDepth) throw malformed(key, `it is nested more than ${maxDepth} levels deep`);
  const value = parseJson(key, text);
  const known = v.safeParse(v.object({ format: v.number() }), value);
  if (!known.success) throw malformed(key, 'it has no format');
  if (known.output.format !== format) throw malformed(key, `format ${known.output.format} is not known here`);
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (!result.success) throw malformed(key, describeIssue(result.issues[0]));
  return result.output;
};

const malformed = (key: string, why: string): TriggerdError =>
  new TriggerdError('firing-malformed', `${printable(key.slice(-160))}: ${why}`, { details: { key } });

const parseJson = (key: string, text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TriggerdError('firing-malformed', `${printable(key.slice(-160))}: it is not JSON`, {
      cause,
      details: { key },
    });
  }
};

/** The message of a check of ours is what it expects; its requirement is a function. */
const describeIssue = (issue: v.BaseIssue<unknown>): string => {
  const expected = typeof issue.requirement === 'function' ? issue.message : issue.requirement;
  return `${v.getDotPath(issue) ?? 'the document'}: expected ${issue.expected ?? expected ?? issue.type}`;
};

/** How deep brackets nest outside of strings, counted in one pass before anything recursive sees the text. */
const depthOf = (text: string): number => {
  let depth = 0;
  let deepest = 0;
  let isInString = false;
  for (let index = 0; index < text.length; index++) {
    const char = text[index];
    if (char === '\\' && isInString) index++;
    else if (char === '"') isInString = !isInString;
    else if (isInString) continue;
    else if (char === '[' || char === '{') deepest = Math.max(deepest, ++depth);
    else if (char === ']' || char === '}') depth--;
  }
  return deepest;
};

// The vocabulary of the schemas.

export const text = (maxLength: number) => v.pipe(v.string(), v.maxLength(maxLength));
/** A field that may be null or missing, which means the same. */
export const orNull = <Schema extends v.GenericSchema>(schema: Schema) => v.nullish(schema, null);
export const nodeName = v.pipe(v.string(), v.check(isNodeName, 'node name'));
export const counter = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const timestamp = v.pipe(
  text(40),
  v.check((value) => !Number.isNaN(Date.parse(value)), 'ISO 8601 time'),
);
/** A time in the document ↔ ms since the epoch in the domain. */
export const instant = v.pipe(
  timestamp,
  v.transform((value) => Date.parse(value)),
);
export const toTimestamp = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

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
