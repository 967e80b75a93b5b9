/** What `help` shows: every statement, made of the grammar itself. */
import type { Form } from './form.ts';
import { grammar } from './grammar.ts';
import { type SlotName, slots } from './slots.ts';

export interface HelpEntry {
  readonly section: string;
  readonly statement: string;
  readonly about: string;
  /** What may follow, as `word <value>`. */
  readonly settings: readonly string[];
}

/** All statements, or those with a word. */
export const helpEntries = (word: string | null): HelpEntry[] =>
  grammar.flatMap(({ about, forms }) =>
    forms.filter((form) => word === null || hasWord(form, word)).map((form) => entryOf(about, form)),
  );

const hasWord = ({ variants, settings }: Form, word: string): boolean =>
  settings.some((setting) => setting.word === word) ||
  variants.some((parts) => parts.some((part) => part.kind === 'keyword' && part.spellings.includes(word)));

const entryOf = (section: string, { pattern, about, settings }: Form): HelpEntry => ({
  section,
  statement: pattern.replaceAll(/<(\w+)>/g, (_, name: string) => shown(name as SlotName)),
  about,
  settings: settings.map(({ word, slot }) => `${word} ${shown(slot)}`),
});

const shown = (name: SlotName): string => `<${slots[name].shown}>`;

/** For people, in 80 columns. */
export const renderHelp = (entries: readonly HelpEntry[]): string => {
  const sections = [...new Set(entries.map(({ section }) => section))];
  return sections
    .map((section) => [section, ...entries.filter((each) => each.section === section).flatMap(linesOf)].join('\n'))
    .join('\n\n');
};

const aboutAt = 46;
const width = 78;

const linesOf = ({ statement, about, settings }: HelpEntry): string[] => {
  const begun = `  ${statement.padEnd(aboutAt)}${about}`;
  const first =
    statement.length < aboutAt && begun.length <= width ? [begun] : [`  ${statement}`, `${' '.repeat(8)}${about}`];
  return [...first, ...folded(settings).map((line) => `${' '.repeat(4)}${line}`)];
};

/** Settings beside each other, none of them torn apart. */
const folded = (settings: readonly string[]): string[] => {
  const lines: string[] = [];
  for (const setting of settings) {
    const longer = `${lines.at(-1)} [${setting}]`;
    if (lines.length > 0 && longer.length <= width - 4) lines[lines.length - 1] = longer;
    else lines.push(`[${setting}]`);
  }
  return lines;
};
