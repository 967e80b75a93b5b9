/**
 * A form is one kind of statement: its words, the places of names between them, and the settings that may follow. The
 * forms of `grammar.ts` are all there is to know about the language: `match.ts` reads statements with them, `help.ts`
 * shows them, and what may come next at any place follows from them.
 */
import type { RequestStatement } from '../domain/live-request.ts';
import type { Statement } from '../registry/statements.ts';
import { type Given, type Settings, wordOf } from './settings.ts';
import { type SlotName, slots, type ValueOf } from './slots.ts';

/** A statement of the registry; its team is added where it is sent, but where it is about a team by its name. */
export type Ask =
  | Extract<Statement, { verb: `team.${string}` }>
  | WithoutTeam<Exclude<Statement, { verb: `team.${string}` }>>
  | WithoutTeam<RequestStatement>;
type WithoutTeam<Each> = Each extends unknown ? Omit<Each, 'team'> : never;

/** What a statement of the console comes to. */
export type Command =
  /** `only`: of a list, what has this name. */
  | { readonly kind: 'registry'; readonly ask: Ask; readonly only: string | null }
  /** Whoever runs it has to ask for the user's password first. */
  | { readonly kind: 'secret'; readonly user: string; readonly ask: (secret: string) => Ask }
  | { readonly kind: 'request'; readonly request: ConsoleRequest }
  | { readonly kind: 'help'; readonly about: string | null }
  | { readonly kind: 'configure' }
  | { readonly kind: 'exit' };

export interface ConsoleRequest {
  readonly service: string;
  readonly plugin: string;
  readonly command: string;
  readonly args: Readonly<Record<string, string>>;
  readonly timeoutMs: number | null;
}

export type Part =
  /** `spellings`: the first is the one that help shows. */
  | { readonly kind: 'keyword'; readonly spellings: readonly [string, ...string[]] }
  | { readonly kind: 'slot'; readonly name: SlotName };

export interface Setting {
  readonly word: string;
  /** In the values that `make` gets. */
  readonly key: string;
  readonly slot: SlotName;
}

export interface Form {
  /** As help shows it. */
  readonly pattern: string;
  /** All the ways to write it: a word in brackets may be missing. */
  readonly variants: readonly (readonly Part[])[];
  readonly settings: readonly Setting[];
  /** How many settings there have to be. */
  readonly least: number;
  readonly about: string;
  readonly make: (values: Readonly<Record<string, unknown>>) => Command;
}

type SlotsIn<Pattern extends string> = Pattern extends `${string}<${infer Name}>${infer Rest}`
  ? Name | SlotsIn<Rest>
  : never;
type Values<Pattern extends string, Of extends Settings> = {
  readonly [Name in SlotsIn<Pattern> & SlotName]: ValueOf<Name>;
} & Given<Of>;

/** A form of a pattern such as `set services <service> workers add <worker>` or `delete workers [identity] <worker>`. */
export const form = <const Pattern extends string, const Of extends Settings = Record<never, never>>(
  pattern: Pattern,
  about: string,
  make: (values: Values<Pattern, Of>) => Command,
  settings?: { readonly of: Of; readonly least?: number },
): Form => ({
  pattern,
  variants: variantsOf(pattern.split(' ')).map((words) => words.map(partOf)),
  settings: Object.entries(settings?.of ?? {}).map(([key, slot]) => ({ word: wordOf(key), key, slot })),
  least: settings?.least ?? 0,
  about,
  make: make as Form['make'],
});

const variantsOf = ([word, ...rest]: readonly string[]): string[][] => {
  if (word === undefined) return [[]];
  const behind = variantsOf(rest);
  const without = word.startsWith('[') ? behind : [];
  return [...behind.map((each) => [word.replace(/^\[(.*)\]$/, '$1'), ...each]), ...without];
};

/** What there is one or many of is written either way; of some things triggerFS itself has two words. */
const otherSpellings: Readonly<Record<string, readonly string[]>> = {
  workers: ['worker'],
  services: ['service'],
  triggers: ['trigger'],
  directories: ['directory'],
  teams: ['team'],
  users: ['user'],
  requests: ['request'],
  identity: ['name'],
  name: ['identity'],
  secret: ['password'],
  add: ['attach'],
  attach: ['add'],
  remove: ['detach', 'delete'],
  detach: ['remove', 'delete'],
};

const partOf = (word: string): Part =>
  word.startsWith('<')
    ? { kind: 'slot', name: slotNamed(word.slice(1, -1)) }
    : { kind: 'keyword', spellings: [word, ...(otherSpellings[word] ?? [])] };

const slotNamed = (name: string): SlotName => {
  if (!Object.hasOwn(slots, name)) throw new Error(`no slot is named ${name}`);
  return name as SlotName;
};
