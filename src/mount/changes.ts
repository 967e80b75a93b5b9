import { FsError } from './errno.ts';
import type { TreeChange } from './ports.ts';
import type { Tree, TreeNode } from './tree.ts';

/** The registry's rule for names. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const maxNameLength = 63;
const permissionBits = 0o777;

/** Throws EEXIST, EINVAL for what cannot be a name, ENAMETOOLONG, ENOENT, ENOTDIR. */
export const directoryAt = (tree: Tree, path: string, mode: number): TreeChange => {
  assertFree(tree, path);
  return { verb: 'directory.add', path, mode: mode & permissionBits };
};

/** Throws also EPERM for a trigger that would lie in the root, and EBUSY for the root itself. */
export const changeOfPath = (tree: Tree, from: string, to: string): TreeChange => {
  const node = tree.find(from);
  if (node.kind === 'control') throw new FsError('EPERM', from);
  if (node.kind === 'root') throw new FsError('EBUSY', from);
  assertFree(tree, to);
  if (node.kind === 'directory') return { verb: 'directory.set', path: from, to };
  if (parentOf(to) === '/') throw new FsError('EPERM', `${to}: only directories lie in the root`);
  return { verb: 'definition.set', name: from, path: to };
};

/** Only permission bits can be set. */
export const changeOfMode = (tree: Tree, path: string, mode: number): TreeChange => {
  const node = tree.find(path);
  if (node.kind === 'control' || node.kind === 'root' || (mode & 0o7000) !== 0) throw new FsError('EPERM', path);
  const bits = mode & permissionBits;
  return node.kind === 'directory'
    ? { verb: 'directory.set', path, mode: bits }
    : { verb: 'definition.set', name: path, mode: bits };
};

/** Nothing is ever replaced: a trigger that is moved over another would take it away. */
const assertFree = (tree: Tree, path: string): void => {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name.length > maxNameLength) throw new FsError('ENAMETOOLONG', path);
  if (!namePattern.test(name)) throw new FsError('EINVAL', `${path}: not a name`);
  const { kind } = tree.find(parentOf(path));
  if (kind !== 'root' && kind !== 'directory') throw new FsError('ENOTDIR', path);
  if (exists(tree, path)) throw new FsError('EEXIST', path);
};

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';

const exists = (tree: Tree, path: string): TreeNode | undefined => {
  try {
    return tree.find(path);
  } catch (thrown) {
    if (thrown instanceof FsError && thrown.errno === 'ENOENT') return undefined;
    throw thrown;
  }
};
