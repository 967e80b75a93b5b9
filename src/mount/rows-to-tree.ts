import { parseDuration } from '../kit/duration.ts';
import type { Definition, Directory } from '../registry/model.ts';
import type { DefinitionRow, DirectoryRow } from '../registry/rows.ts';
import type { TreeSnapshot } from './tree.ts';

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
