import type { Directory } from '../model.ts';
import { directoryRow, pathOf } from '../rows.ts';
import { assertMayMove, childrenOf, directoryNamed, freeDirectoryPath } from './tree.ts';
import { accessTo, answering, assertMayChange, given, inUse, nextId, type RecordWrite, type Rules } from './turn.ts';
import { byId } from './worker.ts';

export const directoryRules: Rules<'directory'> = {
  'directory.add': (turn, { team, path, mode = 0o775 }) => {
    const { holdings, ownership } = accessTo(turn, team);
    const directory: Directory = {
      kind: 'directory',
      id: nextId(turn, team, 'node', holdings.nodes.size),
      ...freeDirectoryPath(holdings, path),
      description: '',
      mode,
      ...ownership,
      created_at: turn.facts.now,
      updated_at: turn.facts.now,
    };
    return { writes: [{ kind: 'node', team, record: directory }], rows: [directoryRow(directory, holdings)] };
  },

  /** Moves it, with all that it holds, and changes its mode. */
  'directory.set': (turn, { team, path, to, mode }) => {
    const access = accessTo(turn, team);
    const { holdings } = access;
    const directory = directoryNamed(holdings, path);
    assertMayChange(access, directory, path);
    const place = to === undefined || to === path ? {} : freeDirectoryPath(holdings, to);
    const moved: Directory = { ...directory, ...place, ...given({ mode }), updated_at: turn.facts.now };
    if (moved.parent !== directory.parent) assertMayMove(holdings, directory, moved.parent);
    return { writes: moveWrites(team, directory, moved), rows: [directoryRow(moved, holdings)] };
  },

  'directory.list': (turn, { team }) => {
    const { holdings } = accessTo(turn, team);
    const directories = [...holdings.nodes.values()].filter((node) => node.kind === 'directory');
    return answering(byId(directories).map((directory) => directoryRow(directory, holdings)));
  },

  'directory.delete': (turn, { team, path }) => {
    const access = accessTo(turn, team);
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

/** The key of a node is its place: a move is a deletion and a write. */
export const moveWrites = <Kind extends RecordWrite & { kind: 'node' }>(
  team: string,
  before: NonNullable<Kind['record']>,
  after: NonNullable<Kind['record']>,
): RecordWrite[] => {
  const isSamePlace = before.parent === after.parent && before.name === after.name;
  const write: RecordWrite = { kind: 'node', team, record: after };
  return isSamePlace ? [write] : [{ kind: 'node', team, record: null, gone: before }, write];
};
