/**
 * Reads YAML as Ruby's Psych writes it, which is how Puppet writes summaries and reports. Whoever can put a file in their place can
 * not make it take long: a YAML parser for everything takes minutes for 16 KiB of `? ? ? …`, and this one is linear. Anything
 * that Psych does not write gives null, or nothing.
 */
import { closingQuote, fold, plainScalar, unquote } from './psych-scalars.ts';

export type PsychValue = string | number | boolean | null | readonly PsychValue[] | PsychMapping;
export interface PsychMapping {
  readonly [key: string]: PsychValue | undefined;
}

/** The fields of a mapping; of anything else: none. */
export const fieldsOf = (value: PsychValue | undefined): PsychMapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as PsychMapping) : {};

/** Puppet's documents have six. */
const maxDepth = 16;

/** What is below `---`. Pure; throws nothing. */
export const readPsych = (lines: readonly string[]): PsychValue => {
  const cursor = { lines: [...lines], at: lines[0]?.startsWith('---') ? 1 : 0 };
  return readNode(cursor, 0, 0);
};

interface Cursor {
  /** A line loses the beginning that has been read, which becomes indentation. */
  readonly lines: string[];
  at: number;
}

const indentOf = (line: string): number => line.length - line.trimStart().length;
const isBlank = (line: string): boolean => line.trim() === '';

/** The next line that is not empty, if it is indented so far at least. */
const peek = (cursor: Cursor, least: number): { indent: number; text: string } | undefined => {
  while (cursor.at < cursor.lines.length && isBlank(cursor.lines[cursor.at] ?? '')) cursor.at += 1;
  const line = cursor.lines[cursor.at];
  if (line === undefined) return undefined;
  const indent = indentOf(line);
  return indent < least ? undefined : { indent, text: line.slice(indent) };
};

const isItem = (text: string): boolean => text === '-' || text.startsWith('- ');

const readNode = (cursor: Cursor, least: number, depth: number): PsychValue => {
  const next = peek(cursor, least);
  if (next === undefined) return null;
  if (depth > maxDepth) return skipBelow(cursor, next.indent);
  if (isItem(next.text)) return readSequence(cursor, next.indent, depth);
  if (keyEnd(next.text) !== -1 || next.text.startsWith('? ')) return readMapping(cursor, next.indent, depth);
  cursor.at += 1;
  return readValue(cursor, next.text, least - 1, depth);
};

const skipBelow = (cursor: Cursor, least: number): null => {
  while (peek(cursor, least) !== undefined) cursor.at += 1;
  return null;
};

const readSequence = (cursor: Cursor, indent: number, depth: number): PsychValue[] => {
  const items: PsychValue[] = [];
  for (let next = peek(cursor, indent); next !== undefined; next = peek(cursor, indent)) {
    if (next.indent !== indent || !isItem(next.text)) break;
    hide(cursor, indent + 1);
    items.push(readNode(cursor, indent + 1, depth + 1));
  }
  return items;
};

const readMapping = (cursor: Cursor, indent: number, depth: number): PsychMapping => {
  const mapping: Record<string, PsychValue> = Object.create(null);
  for (let next = peek(cursor, indent); next !== undefined; next = peek(cursor, indent)) {
    if (next.indent > indent) skipBelow(cursor, indent + 1);
    else if (next.text.startsWith('? ')) mapping[readLongKey(cursor, indent)] = readLongValue(cursor, indent, depth);
    else {
      const end = keyEnd(next.text);
      if (end === -1) break;
      cursor.at += 1;
      mapping[keyOf(next.text.slice(0, end))] = readValue(cursor, next.text.slice(end + 1).trim(), indent, depth);
    }
  }
  return mapping;
};

/** `? key` on lines of its own: keys of more than 128 characters, and those of several lines. */
const readLongKey = (cursor: Cursor, indent: number): string => {
  const text = (cursor.lines[cursor.at] ?? '').slice(indent + 2);
  cursor.at += 1;
  return String(readValue(cursor, text, indent, maxDepth));
};

const readLongValue = (cursor: Cursor, indent: number, depth: number): PsychValue => {
  const next = peek(cursor, indent);
  if (next?.indent !== indent || !(next.text === ':' || next.text.startsWith(': '))) return null;
  hide(cursor, indent + 1);
  return readNode(cursor, indent + 1, depth + 1);
};

/** Takes what was read of this line away; what follows it is indented as far as it stands. */
const hide = (cursor: Cursor, length: number): void => {
  cursor.lines[cursor.at] = ' '.repeat(length) + (cursor.lines[cursor.at] ?? '').slice(length);
};

/** Where the colon after a key stands, or -1: the text is no key. */
const keyEnd = (text: string): number => {
  if (text.startsWith('"') || text.startsWith("'")) {
    const end = closingQuote(text) + 1;
    return end > 0 && isColon(text, end) ? end : -1;
  }
  for (let at = text.indexOf(':'); at !== -1; at = text.indexOf(':', at + 1)) if (isColon(text, at)) return at;
  return -1;
};

const isColon = (text: string, at: number): boolean => text[at] === ':' && (text[at + 1] ?? ' ') === ' ';

const keyOf = (text: string): string => {
  const quote = text[0] ?? '';
  return quote === '"' || quote === "'" ? unquote(quote, text.slice(1, -1)) : text;
};

/** What stands after a key or a dash; the rest of it is on lines that are indented further than `indent`. */
const readValue = (cursor: Cursor, given: string, indent: number, depth: number): PsychValue => {
  const text = withoutProperties(given);
  if (text === '') return readBelow(cursor, indent, depth);
  const first = text[0] ?? '';
  if (first === '|' || first === '>') return readBlock(cursor, text, indent);
  if (first === '"' || first === "'") return readQuoted(cursor, text, indent);
  if (text === '[]' || text === '{}') return text === '[]' ? [] : {};
  if ('*[{'.includes(first)) return skipBelow(cursor, indent + 1);
  return plainScalar(fold([text, ...takeBelow(cursor, indent)]));
};

/** Tags and anchors: `!ruby/object:Puppet::Transaction::Report`, `&1`. */
const withoutProperties = (text: string): string => text.replace(/^(?:[!&]\S*(?: +|$)){1,4}/, '');

const readBelow = (cursor: Cursor, indent: number, depth: number): PsychValue => {
  const next = peek(cursor, indent);
  if (next === undefined) return null;
  // The items of a key's sequence stand below the key itself.
  if (next.indent === indent && !isItem(next.text)) return null;
  return readNode(cursor, indent, depth + 1);
};

/** Lines that are indented further, and empty ones between them. */
const takeBelow = (cursor: Cursor, indent: number): string[] => {
  const begin = cursor.at;
  let end = begin;
  for (; cursor.at < cursor.lines.length; cursor.at += 1) {
    const line = cursor.lines[cursor.at] ?? '';
    if (isBlank(line)) continue;
    if (indentOf(line) <= indent) break;
    end = cursor.at + 1;
  }
  cursor.at = end;
  return cursor.lines.slice(begin, end);
};

const readQuoted = (cursor: Cursor, text: string, indent: number): string | null => {
  const end = closingQuote(text);
  if (end !== -1) return unquote(text[0] ?? '', text.slice(1, end));
  const whole = fold([text, ...takeBelow(cursor, indent)]);
  return whole.length > 1 && closingQuote(whole) === whole.length - 1
    ? unquote(whole[0] ?? '', whole.slice(1, -1))
    : null;
};

/** Empty lines that follow: a block with `+` ends with them. */
const takeBlank = (cursor: Cursor): string[] => {
  const begin = cursor.at;
  while (cursor.at < cursor.lines.length && isBlank(cursor.lines[cursor.at] ?? '')) cursor.at += 1;
  return cursor.lines.slice(begin, cursor.at);
};

/** `|`, `>`, with `-` (no break at the end) or `+` (all breaks), and how far it is indented where that cannot be seen. */
const readBlock = (cursor: Cursor, header: string, indent: number): string => {
  const lines = takeBelow(cursor, indent);
  if (header.includes('+')) lines.push(...takeBlank(cursor));
  const given = Number(/\d/.exec(header)?.[0] ?? 0);
  const own = given > 0 ? Math.max(indent, 0) + given : indentOf(lines.find((line) => !isBlank(line)) ?? '');
  const texts = lines.map((line) => line.slice(own));
  const end = header.includes('-') ? '' : '\n';
  return (header.startsWith('>') ? fold(texts) : texts.join('\n')) + end;
};
