import type { Directory } from '../model.ts';
import { directoryRow, pathOf } from '../rows.ts';
import { accessTo, assertMayChange } from './access.ts';
import { inUse } from './refusals.ts';
import { answering, given, nextId, type RecordWrite, type Rules } from './rule-context.ts';
import { assertMayMove, childrenOf, directoryNamed, freeDirectoryPath } from './tree.ts';
import { byId } from './worker.ts';

export const directoryRules: Rules<'directory'> = {
  'directory.add': (context, { team, path, mode = 0o775 }) => {
    const { holdings, ownership } = accessTo(context, team);
    const directory: Directory = {
      kind: 'directory',
      id: nextId(context, team, 'node', holdings.nodes.size),
      ...freeDirectoryPath(holdings, path),
      description: '',
      mode,
      ...ownership,
      created_at: context.facts.now,
      updated_at: context.facts.now,
    };
    return { writes: [{ kind: 'node', team, record: directory }], rows: [directoryRow(directory, holdings)] };
  },

  /** Moves a directory with all that it holds, and changes its mode. */
  'directory.set': (context, { team, path, to, mode }) => {
    const access = accessTo(context, team);
    const { holdings } = access;
    const directory = directoryNamed(holdings, path);
    assertMayChange(access, directory, path);
    const position = to === undefined || to === path ? {} : freeDirectoryPath(holdings, to);
    const moved: Directory = { ...directory, ...position, ...given({ mode }), updated_at: context.facts.now };
    if (moved.parent !== directory.parent) assertMayMove(holdings, directory, moved.parent);
    return { writes: moveWrites(team, directory, moved), rows: [directoryRow(moved, holdings)] };
  },

  'directory.list': (context, { team }) => {
    const { holdings } = accessTo(context, team);
    const directories = [...holdings.nodes.values()].filter((node) => node.kind === 'directory');
    return answering(byId(directories).map((directory) => directoryRow(directory, holdings)));
  },

  'directory.delete': (context, { team, path }) => {
    const access = accessTo(context, team);
    const { holdings } = access;
    const directory = directoryNamed(holdings, path);
    assertMayChange(access, directory, path);
    const [child] = childrenOf(holdings, directory.id);
    if (child !== undefined) throw inUse(`${path} is not empty`);
    return {
      writes: [{ kind: 'node', team, record: null, gone: directory }],
      rows: [{ ...directoryRow(directory, holdings), path: pathOf(holdings, directory) }],
    };
  },
};

/** The key of a node holds parent and name, so a move is a deletion and a write. */
export const moveWrites = <Kind extends RecordWrite & { kind: 'node' }>(
  team: string,
  before: NonNullable<Kind['record']>,
  after: NonNullable<Kind['record']>,
): RecordWrite[] => {
  const isSamePlace = before.parent === after.parent && before.name === after.name;
  const write: RecordWrite = { kind: 'node', team, record: after };
  return isSamePlace ? [write] : [{ kind: 'node', team, record: null, gone: before }, write];
};
