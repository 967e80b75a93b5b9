/** Defaults < file < environment < flags: the layers of a configuration, and which of them each value came from. */
import { didYouMean, type Problem } from './problem.ts';
import { childOf, type SectionShape } from './shape.ts';

/** Where a value came from; `name` is the variable or flag as the user wrote it. */
export interface Source {
  readonly from: 'file' | 'env' | 'flag';
  readonly name: string;
}

export interface Setting {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly source: Source;
}

/** The leaves of a parsed file as settings. Empty sections count too: `[http]` alone starts something. */
export const settingsOf = (table: Readonly<Record<string, unknown>>, source: Source, path: string[] = []): Setting[] =>
  Object.entries(table).flatMap(([name, value]) => {
    const here = [...path, name];
    return isTable(value) && Object.keys(value).length > 0
      ? settingsOf(value, source, here)
      : [{ path: here, value, source }];
  });

export interface Layered {
  readonly tree: Tree;
  /** By path; a value that is not here is a default. */
  readonly sources: ReadonlyMap<string, Source>;
}

interface Tree {
  [name: string]: unknown;
}

/** Later settings win. */
export const layer = (settings: readonly Setting[]): Layered => {
  const tree = emptyTree();
  const sources = new Map<string, Source>();
  for (const { path, value, source } of settings) {
    put(tree, path, isTable(value) ? emptyTree() : value);
    sources.set(sourceKey(path), source);
  }
  return { tree, sources };
};

export const sourceKey = (path: readonly (string | number)[]): string => path.join('\0');

// Without a prototype no name in a file means anything special, `__proto__` included.
const emptyTree = (): Tree => Object.create(null) as Tree;

const put = (tree: Tree, path: readonly string[], value: unknown): void => {
  const [first, ...rest] = path;
  if (first === undefined) return;
  if (rest.length === 0) {
    tree[first] = isTable(value) && isTable(tree[first]) ? tree[first] : value;
    return;
  }
  if (!isTable(tree[first])) tree[first] = emptyTree();
  put(tree[first] as Tree, rest, value);
};

/**
 * The keys that the schema does not know. An own walk instead of valibot's strict objects: those look names up with
 * `in`, which finds `__proto__` and `constructor` in every object.
 */
export const findUnknownKeys = (shape: SectionShape, raw: unknown, path: readonly string[] = []): Problem[] => {
  if (!isTable(raw)) return [];
  return Object.keys(raw).flatMap((name) => {
    const child = childOf(shape, name);
    const childPath = [...path, name];
    if (child === undefined) return [{ path: childPath, message: unknownMessage(shape, name, path.length === 0) }];
    return child.kind === 'section' ? findUnknownKeys(child, raw[name], childPath) : [];
  });
};

const unknownMessage = (shape: SectionShape, name: string, top: boolean): string => {
  if (shape.named !== null)
    return `not a name: letters, digits, “_”, “.” and “-”, starting with a letter or digit, at most 64${didYouMean(name, [...shape.entries.keys()])}`;
  return `unknown ${top ? 'section' : 'key'}${didYouMean(name, [...shape.entries.keys()])}`;
};

/** A TOML table: an object that is neither a list nor a date. */
export const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
