/**
 * The kinds of value that a configuration key can have. A key is one valibot schema that carries everything there is to
 * say about it: what it accepts, what code gets, what the reference page prints. Convention: the message of every check
 * is the phrase after “expected …”.
 */
import * as v from 'valibot';
import { isNodeName } from '../domain/names.ts';
import { type AddressUse, parseAddress, wordsOf } from '../kit/address.ts';
import { parseDuration } from '../kit/duration.ts';
import { parseSize } from '../kit/size.ts';

/** How a value is written; decides how an environment variable's text is read. */
export type ValueType = 'text' | 'path' | 'duration' | 'size' | 'integer' | 'boolean' | 'list';

export interface KeyOptions {
  /** Never shown: neither by `config print` nor in a message. */
  readonly secret?: boolean;
}

/** What a key's schema says about itself, besides its description. */
export interface KeyFacts extends KeyOptions {
  readonly type: ValueType;
  readonly expected: string;
  /** Why a value is refused, where `expected` does not say it. */
  readonly explain?: (value: unknown) => string | undefined;
}

const leaf = <Written, Value>(
  facts: KeyFacts,
  accepts: (value: unknown) => boolean,
  read: (written: Written) => Value,
  about: string,
) =>
  v.pipe(
    v.custom<Written>(accepts, facts.expected),
    v.transform(read),
    v.description(about),
    v.metadata({ facts: Object.freeze(facts) }),
  );

const asItIs = <Value>(value: Value): Value => value;
const isText = (value: unknown): value is string => typeof value === 'string' && value.length > 0;
const matches =
  (accepts: (text: string) => boolean) =>
  (value: unknown): boolean =>
    isText(value) && accepts(value);

export const text = (about: string, options: KeyOptions = {}) =>
  leaf<string, string>({ type: 'text', expected: 'a text', ...options }, isText, asItIs, about);

/** A text of a special form; `expected` names the form. */
export const textLike = (expected: string, accepts: (text: string) => boolean, about: string) =>
  leaf<string, string>({ type: 'text', expected }, matches(accepts), asItIs, about);

/** Words with balanced quotes, and at least one of them. */
const isCommandLine = (text: string): boolean => {
  const withoutQuoted = text.replace(/'[^']*'|"[^"]*"/g, 'x');
  return withoutQuoted.trim() !== '' && !/['"]/.test(withoutQuoted);
};

export const commandLine = (about: string) => textLike('a command line with balanced quotes', isCommandLine, about);

export const nodeName = (about: string) => textLike('a host name in lower case', isNodeName, about);

/** Relative paths are refused: a daemon's working folder is nobody's business. */
export const absolutePath = (about: string) =>
  leaf<string, string>({ type: 'path', expected: 'an absolute path' }, matches(isAbsolute), asItIs, about);

/** For triggerFS' documented keys, whose relative paths start at the working folder. */
export const anyPath = (about: string) =>
  leaf<string, string>({ type: 'path', expected: 'a path' }, isText, asItIs, about);

// sockaddr_un holds 108 bytes with the closing NUL; the kernel's own message says nothing of that.
export const socketPath = (about: string) =>
  leaf<string, string>(
    { type: 'path', expected: 'an absolute path of at most 107 bytes' },
    matches((path) => isAbsolute(path) && Buffer.byteLength(path) <= 107),
    asItIs,
    about,
  );

/** Code gets milliseconds. */
export const duration = (about: string, atLeastMs = 1) =>
  leaf<string, number>(
    { type: 'duration', expected: 'a duration such as "10s", "5m" or "1h30m"' },
    matches((written) => (parseDuration(written) ?? -1) >= atLeastMs),
    (written) => parseDuration(written) ?? 0,
    about,
  );

/** Code gets bytes. */
export const size = (about: string) =>
  leaf<string | number, number>(
    { type: 'size', expected: 'a number of bytes or a size such as "64MiB"' },
    (value) => (parseSize(value) ?? 0) > 0,
    (written) => parseSize(written) ?? 0,
    about,
  );

export const integer = (about: string, from: number, to: number) =>
  leaf<number, number>(
    { type: 'integer', expected: `a whole number from ${from} to ${to}` },
    (value) => Number.isInteger(value) && Number(value) >= from && Number(value) <= to,
    asItIs,
    about,
  );

export const flag = (about: string) =>
  leaf<boolean, boolean>(
    { type: 'boolean', expected: 'true or false' },
    (value) => typeof value === 'boolean',
    asItIs,
    about,
  );

export const choice = <const Choice extends string>(choices: readonly Choice[], about: string) =>
  leaf<Choice, Choice>(
    { type: 'text', expected: choices.map((each) => JSON.stringify(each)).join(' or ') },
    (value) => choices.some((each) => each === value),
    asItIs,
    about,
  );

/** A list whose entries all have one form; the whole list is refused when one entry is not. */
export const listOf = (expected: string, accepts: (text: string) => boolean, about: string, atLeast = 0) =>
  leaf<readonly string[], readonly string[]>(
    { type: 'list', expected: `a list of ${expected}` },
    (value) => Array.isArray(value) && value.length >= atLeast && value.every(matches(accepts)),
    asItIs,
    about,
  );

/** An address in its one true form. */
export const address = (use: AddressUse, expected: string, about: string) =>
  leaf<string, string>(
    { type: 'text', expected, explain: explainAddress(use) },
    matches((written) => isAddress(use, written)),
    trueForm(use),
    about,
  );

/** At least one address. */
export const addresses = (use: AddressUse, expected: string, about: string) =>
  leaf<readonly string[], readonly string[]>(
    { type: 'list', expected: `a list of ${expected}`, explain: explainAddress(use) },
    (value) => Array.isArray(value) && areAddresses(use, value),
    (written) => written.map(trueForm(use)),
    about,
  );

/** One address or a list of such; code gets a list. */
export const oneOrMoreAddresses = (use: AddressUse, expected: string, about: string) =>
  leaf<string | readonly string[], readonly string[]>(
    { type: 'list', expected: `one or a list of ${expected}`, explain: explainAddress(use) },
    (value) => areAddresses(use, asList(value)),
    (written) => (asList(written) as readonly string[]).map(trueForm(use)),
    about,
  );

const isAddress = (use: AddressUse, text: string): boolean => typeof parseAddress(use, text) !== 'string';

const areAddresses = (use: AddressUse, list: readonly unknown[]): boolean =>
  list.length > 0 && list.every(matches((text) => isAddress(use, text)));

const trueForm =
  (use: AddressUse) =>
  (written: string): string => {
    const parsed = parseAddress(use, written);
    return typeof parsed === 'string' ? written : parsed.text;
  };

const explainAddress =
  (use: AddressUse) =>
  (value: unknown): string | undefined => {
    const problems = asList(value)
      .filter(isText)
      .map((text) => parseAddress(use, text));
    const problem = problems.find((each) => typeof each === 'string');
    return problem === undefined ? undefined : wordsOf(problem);
  };

/** One text or a list of such; code gets a list. */
export const oneOrMore = (expected: string, accepts: (text: string) => boolean, about: string) =>
  leaf<string | readonly string[], readonly string[]>(
    { type: 'list', expected: `one or a list of ${expected}` },
    (value) => asList(value).length > 0 && asList(value).every(matches(accepts)),
    (written) => asList(written) as readonly string[],
    about,
  );

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

export const isAbsolute = (path: string): boolean => path.startsWith('/') && !path.includes('\0');
