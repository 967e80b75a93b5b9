import { parseDuration } from '../kit/duration.ts';
import type { Definition, Directory } from '../registry/model.ts';
import type { DefinitionRow, DirectoryRow } from '../registry/rows.ts';
import { FsError } from './errno.ts';

/** The directories and definitions of one team: what a mount shows. */
export interface TreeSnapshot {
  readonly team: string;
  readonly directories: readonly Directory[];
  readonly definitions: readonly Definition[];
}

/** What a path means. Control files belong to their trigger and are in no listing. */
export type TreeNode =
  | { readonly kind: 'root' }
  | { readonly kind: 'directory'; readonly directory: Directory }
  | { readonly kind: 'trigger'; readonly definition: Definition }
  | { readonly kind: 'control'; readonly definition: Definition; readonly what: 'status' | 'log' };

const rootNumber = 0;
/** The kernel's own limit of a name, in bytes. */
const maxNameBytes = 255;
/** Names of the registry begin with a letter or a digit, so nothing in the tree can have such a name. */
const controlName = /^\.(?<trigger>.+)\.(?<what>status|log)$/;

/** A moment of the tree, indexed. */
export class Tree {
  readonly team: string;
  readonly #children = new Map<number, Map<string, TreeNode>>();
  readonly #definitions = new Map<number, Definition>();
  readonly #directories = new Map<number, Directory>();

  constructor({ team, directories, definitions }: TreeSnapshot) {
    this.team = team;
    for (const directory of directories) {
      this.#put(directory, { kind: 'directory', directory });
      this.#directories.set(directory.id, directory);
    }
    for (const definition of definitions) {
      this.#put(definition, { kind: 'trigger', definition });
      this.#definitions.set(definition.id, definition);
    }
  }

  /** By its number: a trigger that was moved is still the same one. */
  definition(id: number): Definition | undefined {
    return this.#definitions.get(id);
  }

  /** Where a trigger is; undefined when it is not there. */
  pathOf(id: number): string | undefined {
    const definition = this.#definitions.get(id);
    if (definition === undefined) return undefined;
    const names = [definition.name];
    for (let above = this.#directories.get(definition.parent); above; above = this.#directories.get(above.parent)) {
      names.unshift(above.name);
      // Only somebody who edits etcd can make a circle.
      if (names.length > this.#directories.size + 1) return undefined;
    }
    return `/${names.join('/')}`;
  }

  /** Throws ENOENT, ENOTDIR, ENAMETOOLONG. */
  find(path: string): TreeNode {
    const names = path.split('/').filter((name) => name !== '');
    return names.reduce<TreeNode>((parent, name) => this.#child(parent, name, path), { kind: 'root' });
  }

  /** Names in a directory, sorted. Throws what `find` throws. */
  list(path: string): readonly string[] {
    const node = this.find(path);
    return [...(this.#children.get(numberOf(node, path))?.keys() ?? [])].sort();
  }

  #put({ parent, name }: { parent: number; name: string }, node: TreeNode): void {
    const siblings = this.#children.get(parent) ?? new Map<string, TreeNode>();
    siblings.set(name, node);
    this.#children.set(parent, siblings);
  }

  #child(parent: TreeNode, name: string, path: string): TreeNode {
    if (Buffer.byteLength(name) > maxNameBytes) throw new FsError('ENAMETOOLONG', path);
    const siblings = this.#children.get(numberOf(parent, path));
    const found = siblings?.get(name) ?? controlOf(siblings, name);
    if (found === undefined) throw new FsError('ENOENT', path);
    return found;
  }
}

const numberOf = (node: TreeNode, path: string): number => {
  if (node.kind === 'root') return rootNumber;
  if (node.kind === 'directory') return node.directory.id;
  throw new FsError('ENOTDIR', path);
};

const controlOf = (siblings: ReadonlyMap<string, TreeNode> | undefined, name: string): TreeNode | undefined => {
  const { trigger = '', what } = controlName.exec(name)?.groups ?? {};
  const node = siblings?.get(trigger);
  if (node?.kind !== 'trigger') return undefined;
  return { kind: 'control', definition: node.definition, what: what === 'log' ? 'log' : 'status' };
};

/** The tree from the registry's tables, for who can only ask for those. What lies in a directory that is not there is left out. */
export const treeOfRows = (
  team: string,
  directoryRows: readonly DirectoryRow[],
  definitionRows: readonly DefinitionRow[],
): TreeSnapshot => {
  const numbers = new Map([['', 0], ...directoryRows.map(({ path, id }) => [path, id] as const)]);
  const placed = <Row extends { readonly path: string }, Placed>(
    rows: readonly Row[],
    make: (row: Row, parent: number, name: string) => Placed,
  ): Placed[] =>
    rows.flatMap((row) => {
      const at = row.path.lastIndexOf('/');
      const parent = numbers.get(row.path.slice(0, at));
      return parent === undefined ? [] : [make(row, parent, row.path.slice(at + 1))];
    });
  return { team, directories: placed(directoryRows, directoryOf), definitions: placed(definitionRows, definitionOf) };
};

const directoryOf = (row: DirectoryRow, parent: number, name: string): Directory => ({
  kind: 'directory',
  ...common(row),
  parent,
  name,
});

const definitionOf = (row: DefinitionRow, parent: number, name: string): Definition => {
  const {
    plugin,
    service,
    args,
    timeout,
    visibility,
    framing,
    delivery,
    durable,
    max_message,
    deadline,
    partial = null,
  } = row;
  return {
    kind: 'definition',
    ...common(row),
    ...{ parent, name, plugin, service, args, visibility, framing, delivery, durable, max_message, partial },
    timeout_ms: milliseconds(timeout),
    // A broker of before knows of no deadlines, and nothing of what is partial.
    deadline_ms: milliseconds(deadline ?? null),
  };
};

const milliseconds = (text: string | null): number | null => (text === null ? null : (parseDuration(text) ?? null));

const common = ({ id, description, owner, created, updated, mode }: DirectoryRow) => ({
  ...{ id, description, owner },
  // The mount shows whose it is; who may do what is decided by the registry.
  owner_id: 0,
  created_at: created,
  updated_at: updated,
  mode: Number.parseInt(mode, 8),
});
