/**
 * Words → what they ask for. Each form is tried by itself, from left to right; the first that fits counts. Where none does,
 * those that fit furthest say what could have stood there.
 */
import { didYouMean } from '../config/problem.ts';
import { TriggerdError } from '../domain/errors.ts';
import type { RequestStatement } from '../domain/live-request.ts';
import { printable } from '../domain/names.ts';
import type { Statement } from '../registry/statements.ts';
import type { Ask, Command, Form, Part, Setting } from './form.ts';
import { allForms } from './grammar.ts';
import { type Slot, type SlotName, slots } from './slots.ts';
import { type Word, wordsOf } from './words.ts';

/** What may come next: a word of the grammar, or something else. */
export type Next = { readonly word: string } | { readonly slot: SlotName };

interface Attempt {
  /** So many words fit. */
  readonly fitted: number;
  /** So many of them are the grammar's own: a form that knows a word is nearer than one that takes it for a name. */
  readonly keywords: number;
  readonly next: readonly Next[];
  /** There when the statement may end here. */
  readonly values?: Readonly<Record<string, unknown>>;
}

/** Throws `statement-invalid`, with the place, what was expected there, and the nearest word. `words` is not empty. */
const commandOf = (words: readonly Word[]): Command => {
  const found = fitting(words);
  if (found === undefined) throw misfit(words, nextAfter(words));
  return found.form.make(found.values);
};

/** The first form that all the words fit. */
export const fitting = (
  words: readonly Word[],
): { readonly form: Form; readonly values: Readonly<Record<string, unknown>> } | undefined => {
  for (const form of allForms)
    for (const parts of form.variants) {
      const { fitted, values } = attempt(form, parts, words);
      if (fitted === words.length && values !== undefined) return { form, values };
    }
  return undefined;
};

/** How far the words make sense, and what could follow there. */
export const nextAfter = (words: readonly Word[]): { readonly fitted: number; readonly next: readonly Next[] } => {
  const attempts = allForms.flatMap((form) => form.variants.map((parts) => attempt(form, parts, words)));
  const fitted = Math.max(...attempts.map((each) => each.fitted));
  const furthest = attempts.filter((each) => each.fitted === fitted);
  const keywords = Math.max(...furthest.map((each) => each.keywords));
  return { fitted, next: furthest.filter((each) => each.keywords === keywords).flatMap(({ next }) => next) };
};

const attempt = (form: Form, parts: readonly Part[], words: readonly Word[]): Attempt => {
  const values: Record<string, unknown> = {};
  let keywords = 0;
  for (const [at, part] of parts.entries()) {
    const word = words[at];
    if (part.kind === 'keyword') {
      if (word === undefined || word.quoted || !part.spellings.includes(word.text))
        return { fitted: at, keywords, next: [{ word: part.spellings[0] }] };
      keywords++;
    } else {
      const value = word === undefined ? undefined : slots[part.name].read(word.text);
      if (value === undefined) return { fitted: at, keywords, next: [{ slot: part.name }] };
      values[part.name] = value;
    }
  }
  return readSettings(form, words, { fitted: parts.length, keywords, next: [], values });
};

const readSettings = (form: Form, words: readonly Word[], { fitted, keywords, values }: Attempt): Attempt => {
  const given: Record<string, unknown> = {};
  for (let at = fitted; ; at += 2) {
    const open = form.settings.filter(({ key, slot }) => !Object.hasOwn(given, key) || isRepeatable(slot));
    const setting = settingNamed(open, words[at]);
    const here: Attempt = {
      fitted: at,
      keywords: keywords + (at - fitted) / 2,
      next: open.map(({ word }) => ({ word })),
    };
    if (setting === undefined)
      return Object.keys(given).length < form.least ? here : { ...here, values: { ...values, ...given } };
    const word = words[at + 1];
    const value = word === undefined ? undefined : slots[setting.slot].read(word.text);
    if (value === undefined) return { fitted: at + 1, keywords: here.keywords + 1, next: [{ slot: setting.slot }] };
    given[setting.key] = isRepeatable(setting.slot) ? { ...(given[setting.key] ?? {}), ...(value as object) } : value;
  }
};

const isRepeatable = (slot: SlotName): boolean => slot === 'pair';

const settingNamed = (settings: readonly Setting[], word: Word | undefined): Setting | undefined =>
  word === undefined || word.quoted ? undefined : settings.find((setting) => setting.word === word.text);

const misfit = (words: readonly Word[], { fitted, next }: ReturnType<typeof nextAfter>): TriggerdError => {
  const word = words[fitted];
  const column = (word?.at ?? words.at(-1)?.end ?? 0) + 1;
  const what =
    word === undefined
      ? `the statement ends too early${expectation(next)}`
      : `“${printable(word.text)}” does not fit here${nearest(word, next)}${expectation(next)}`;
  return new TriggerdError('statement-invalid', `column ${column}: ${what}`, { details: { column } });
};

const nearest = ({ text }: Word, next: readonly Next[]): string =>
  didYouMean(
    text.slice(0, 64),
    next.flatMap((each) => ('word' in each ? [each.word] : choicesOf(each.slot))),
  ).replace(/^,/, ';');

const choicesOf = (name: SlotName): readonly string[] => {
  const slot: Slot = slots[name];
  return slot.choices ?? [];
};

const expectation = (next: readonly Next[]): string => {
  const expected = [...new Set(next.map((each) => ('word' in each ? each.word : slots[each.slot].expected)))];
  return expected.length === 0 ? '; nothing more was expected' : `; expected ${expected.join(', ')}`;
};

/** Null: nothing is asked, the line is empty or a comment. Throws `statement-invalid`. */
export const parseStatement = (line: string): Command | null => {
  const words = wordsOf(line);
  return words.length === 0 ? null : commandOf(words);
};

/** What goes to the registry: a statement about a team by its name has it already, any other is about `team()`. */
export const inTeam = async (ask: Ask, team: () => Promise<string>): Promise<Statement | RequestStatement> =>
  (ask.verb.startsWith('team.') ? ask : { ...ask, team: await team() }) as Statement | RequestStatement;
