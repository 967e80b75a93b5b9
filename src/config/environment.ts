/**
 * `TRIGGERD_<SECTION>_<KEY>`: the environment's layer. Upper-cased, `-` and `.` become `_`; lists are separated by
 * commas, booleans are `true` or `false` and nothing else.
 */
import { isTable, type Setting } from './layers.ts';
import { didYouMean, isNearly, type Problem } from './problem.ts';
import { isGivenName, type KeyShape, keysOf, type SectionShape } from './shape.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Names that mean something else: where the file and the socket are, and what jobs get to see. */
const reserved: ReadonlySet<string> = new Set(['TRIGGERD_CONFIG', 'TRIGGERD_CONTEXT', 'TRIGGERD_SOCKET']);

export interface EnvironmentLayer {
  readonly settings: readonly Setting[];
  readonly problems: readonly Problem[];
}

/** `file` is the file's content: names in it (queues, workers) are found by their variables even where `_` is ambiguous. */
export const readEnvironment = (shape: SectionShape, env: Environment, file: unknown): EnvironmentLayer => {
  const settings: Setting[] = [];
  const problems: Problem[] = [];
  const keys = variablesOf(shape);
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || !name.startsWith('TRIGGERD_') || reserved.has(name)) continue;
    const found = keys.map((key) => match(key, name, file)).find((path) => path !== undefined);
    if (found === undefined) problems.push(...strange(shape, keys, name));
    else settings.push({ path: found.path, value: readText(found.shape, text), source: { from: 'env', name } });
  }
  return { settings, problems };
};

/** A text from outside the file → the value that the file would have; what does not fit stays for the schema to refuse. */
export const readText = (key: Pick<KeyShape, 'type'>, text: string): unknown => {
  if (key.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  if ((key.type === 'integer' || key.type === 'size') && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (key.type !== 'list') return text;
  return text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
};

interface Variable {
  readonly path: readonly (string | null)[];
  readonly shape: KeyShape;
  /** `TRIGGERD_QUEUES_<NAME>_SLOTS`, as shown in messages and in the reference. */
  readonly name: string;
}

const variablesOf = (shape: SectionShape): Variable[] =>
  keysOf(shape).map(([path, key]) => ({ path, shape: key, name: variableName(path) }));

/** The variable of a key; `null` in the path stands for a name of the user's choice. */
export const variableName = (path: readonly (string | null)[]): string =>
  ['TRIGGERD', ...path.map((part) => (part === null ? '<NAME>' : envPart(part)))].join('_');

const envPart = (name: string): string => name.toUpperCase().replace(/[-.]/g, '_');

const match = (variable: Variable, name: string, file: unknown): { path: string[]; shape: KeyShape } | undefined => {
  if (variable.name === name) return { path: variable.path as string[], shape: variable.shape };
  const wild = variable.path.filter((part) => part === null).length;
  if (wild === 0) return undefined;
  const known = namedPaths(variable.path, file).find((path) => variableName(path) === name);
  const path = known ?? newPath(variable, name, wild);
  return path && { path, shape: variable.shape };
};

/** The paths of this kind that the file has. */
const namedPaths = (path: readonly (string | null)[], table: unknown): string[][] => {
  const [first, ...rest] = path;
  if (first === undefined) return [[]];
  if (first !== null && rest.length === 0) return [[first]];
  if (!isTable(table)) return [];
  const names = first === null ? Object.keys(table) : [first];
  return names.flatMap((name) => namedPaths(rest, table[name]).map((tail) => [name, ...tail]));
};

/** A name that the file does not have: lower-cased, one part per name unless there is only one. */
const newPath = (variable: Variable, name: string, wild: number): string[] | undefined => {
  const part = wild === 1 ? '([A-Z0-9][A-Z0-9_]*)' : '([A-Z0-9]+)';
  const found = new RegExp(`^${variable.name.replaceAll('<NAME>', part)}$`).exec(name);
  if (found === null) return undefined;
  const names = found.slice(1).map((each) => each.toLowerCase());
  if (!names.every(isGivenName)) return undefined;
  return variable.path.map((each) => each ?? names.shift() ?? '');
};

/** A variable of ours that is no key: an error when it looks like one, else somebody else's business. */
const strange = (shape: SectionShape, keys: readonly Variable[], name: string): Problem[] => {
  const known = keys.map((key) => key.name);
  const ofSection = [...shape.entries.keys()].some((section) => name.startsWith(`TRIGGERD_${envPart(section)}_`));
  if (!ofSection && !isNearly(name, known)) return [];
  return [{ path: [`$${name}`], message: `unknown variable${didYouMean(name, known)}` }];
};
