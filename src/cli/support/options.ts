/** Readers of arguments and options. Commander words the refusal: “option '--arg <k=v>' argument 'x' is invalid. …”. */
import { type Command, InvalidArgumentError } from 'commander';
import { parseDuration } from '../../kit/duration.ts';

export const jobId = (text: string): number => {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Expected the ID of a job, a whole number.');
  return Number(text);
};

/** For repeatable options whose values may also be separated by commas. */
export const jobIds = (text: string, before: readonly number[] = []): number[] => [
  ...new Set([...before, ...text.split(',').map(jobId)]),
];

export const count = (text: string): number => {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Expected a whole number, at least 1.');
  return Number(text);
};

/** A number that may be none. */
export const countFrom0 = (text: string): number => (text === '0' ? 0 : count(text));

/** Milliseconds. */
export const duration = (text: string): number => {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0) throw new InvalidArgumentError('Expected a duration such as 10s, 5m or 1h30m.');
  return ms;
};

/** For repeatable `k=v` options. */
export const pair = (text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected NAME=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
};

/** For repeatable options whose values may also be separated by commas. */
export const list = (text: string, before: readonly string[] = []): string[] => {
  const values = text.split(',').map((each) => each.trim());
  if (values.includes('')) throw new InvalidArgumentError('Expected a name, or names separated by commas.');
  return [...new Set([...before, ...values])];
};

/** A query string of the values that are there, with its `?`; empty when none is. A list is one key many times. */
export const query = (values: Readonly<Record<string, string | number | readonly string[] | undefined>>): string => {
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((each): [string, string] => [name, String(each)]),
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
};

/** What `--help` and the man page say about a command beyond its arguments and options. */
export interface HelpText {
  /** Paragraphs, separated by an empty line; wrapped where they are shown. */
  readonly details?: string;
  /** Complete commands, one per line, at most 71 characters each: a manual page is indented. */
  readonly examples: readonly string[];
}

const texts = new WeakMap<Command, HelpText>();

export const addHelp = (command: Command, text: HelpText): Command => {
  texts.set(command, text);
  return command.addHelpText('after', () => renderHelp(command, text));
};

export const helpOf = (command: Command): HelpText | undefined => texts.get(command);

export const paragraphsOf = (details: string | undefined): string[] =>
  details === undefined
    ? []
    : details.split(/\n{2,}/).map((paragraph) => paragraph.trim().replaceAll(/\s*\n\s*/g, ' '));

const renderHelp = (command: Command, { details, examples }: HelpText): string => {
  const help = command.createHelp();
  const columns = command.configureOutput().getOutHelpWidth?.() ?? 80;
  const paragraphs = paragraphsOf(details).map((paragraph) => `\n${help.boxWrap(paragraph, columns)}\n`);
  return `${paragraphs.join('')}\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}`;
};
