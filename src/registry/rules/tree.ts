/**
 * The tree of trigger files, as inodes: a node knows its number, its directory's number and its name there, so a
 * directory moves with one write. `/` is number 0. Definitions are inside a directory, never in `/` itself.
 */
import type { Definition, Directory, TreeNode } from '../model.ts';
import { pathOf } from '../rows.ts';
import type { Holdings } from '../snapshot.ts';
import type { Access } from './access.ts';
import { exists, invalid, notFound } from './refusals.ts';

const maxDepth = 32;

/** Parent and name of a new node at this path. Throws `registry-not-found`, `registry-exists`. */
export const freePath = (holdings: Holdings, path: string): { readonly parent: number; readonly name: string } => {
  const names = path.split('/').slice(1);
  const name = names.pop() ?? '';
  const parent = directoryAt(holdings, names)?.id ?? 0;
  const there = holdings.child(parent, name);
  if (there !== undefined) throw exists(there.kind, path);
  return { parent, name };
};

/** Parent and name of a new directory. Throws `registry-invalid` if it would be too deep. */
export const freeDirectoryPath: typeof freePath = (holdings, path) => {
  if (path.split('/').length - 1 > maxDepth) throw invalid(`${path} is more than ${maxDepth} directories deep`);
  return freePath(holdings, path);
};

/** Undefined: `/`. Throws `registry-not-found`. */
const directoryAt = (holdings: Holdings, names: readonly string[]): Directory | undefined => {
  let directory: Directory | undefined;
  for (const [index, name] of names.entries()) {
    const child = holdings.child(directory?.id ?? 0, name);
    if (child?.kind !== 'directory') throw notFound('directory', `/${names.slice(0, index + 1).join('/')}`);
    directory = child;
  }
  return directory;
};

export const nodeAt = (holdings: Holdings, path: string): TreeNode | undefined => {
  const names = path.split('/').slice(1);
  let node: TreeNode | undefined;
  for (const name of names) {
    if (node?.kind === 'definition') return undefined;
    node = holdings.child(node?.id ?? 0, name);
    if (node === undefined) return undefined;
  }
  return node;
};

export const directoryNamed = (holdings: Holdings, path: string): Directory => {
  const node = nodeAt(holdings, path);
  if (node?.kind !== 'directory') throw notFound('directory', path);
  return node;
};

/**
 * A definition by its path, or by its name alone where only one that the actor may see has it. Throws
 * `registry-not-found`, `registry-invalid` for a name that several have.
 */
export const definitionNamed = ({ holdings, maySee }: Access, name: string): Definition => {
  if (name.startsWith('/')) {
    const node = nodeAt(holdings, name);
    if (node?.kind === 'definition' && maySee(node)) return node;
    throw notFound('trigger', name);
  }
  const found = [...holdings.nodes.values()].filter(
    (node): node is Definition => node.kind === 'definition' && node.name === name && maySee(node),
  );
  const [definition, ...others] = found;
  if (definition === undefined) throw notFound('trigger', name);
  if (others.length > 0)
    throw invalid(`“${name}” is ambiguous: ${found.map((node) => pathOf(holdings, node)).join(', ')}; give the path`);
  return definition;
};

/** Throws `registry-invalid` when the directory would lie inside itself, or too deep with what it holds. */
export const assertMayMove = (holdings: Holdings, directory: Directory, parent: number): void => {
  let above = parent;
  let depth = 1;
  for (; above !== 0; depth++) {
    if (above === directory.id) throw invalid('a directory cannot be moved into itself');
    above = holdings.nodes.get(above)?.parent ?? 0;
  }
  if (depth + heightOf(holdings, directory.id) > maxDepth)
    throw invalid(`that is more than ${maxDepth} directories deep`);
};

/** Levels of directories below this one. */
const heightOf = (holdings: Holdings, directory: number): number => {
  const below = childrenOf(holdings, directory).filter(({ kind }) => kind === 'directory');
  return below.length === 0 ? 0 : 1 + Math.max(...below.map(({ id }) => heightOf(holdings, id)));
};

export const childrenOf = (holdings: Holdings, directory: number): TreeNode[] =>
  [...holdings.nodes.values()].filter(({ parent }) => parent === directory);
