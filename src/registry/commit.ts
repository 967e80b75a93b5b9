import type { Compare, Entry, KeyStore, Write } from '../store/key-store.ts';
import type { RegistryKeys } from './keys.ts';
import type { RecordWrite } from './rules/rule-context.ts';
import type { Snapshot } from './snapshot.ts';
import { type GuardDocument, parseGuard, serialize } from './wire.ts';

/** How many changes back a guard knows whose they were. */
const rememberedCommits = 16;

export interface Committed {
  /** False: another change came first. */
  readonly isDone: boolean;
  /** The registry at this revision knows what was done, here or by others. */
  readonly revision: bigint;
}

/**
 * Writes a change if nothing has happened meanwhile in what it was decided on: teams and users, and the team itself. Both
 * guards are compared, and those are put anew whose records change. `id` recognises a change whose answer was lost on its way back.
 */
export const commitChange = async (
  store: Pick<KeyStore, 'commit'>,
  keys: RegistryKeys,
  snapshot: Snapshot,
  writes: readonly RecordWrite[],
  id: string,
): Promise<Committed> => {
  const changed = new Set(writes.map(scopeOf));
  // A team is deleted because it is empty, which must still be true.
  const deleted = new Set(
    writes.flatMap((write) => (write.kind === 'team' && write.record === null ? write.name : [])),
  );
  const scopes = [...new Set([null, ...changed, ...deleted])];
  const compare = scopes.map(
    (team): Compare => ({ key: guardKey(keys, team), modRevision: snapshot.guard(team)?.modRevision ?? 0n }),
  );
  const written = writesOf(keys, snapshot, writes, id);
  const otherwiseGet = scopes.map((team) => guardKey(keys, team));
  const { succeeded, revision, read } = await store.commit({ compare, write: written, otherwiseGet });
  if (succeeded) return { isDone: true, revision };
  return { isDone: read.some((guard) => knows(guard, id)), revision: latest(read) };
};

/** What a change writes, guards included. Throws `firing-malformed` for a guard that is. */
export const writesOf = (
  keys: RegistryKeys,
  snapshot: Snapshot,
  writes: readonly RecordWrite[],
  id: string,
): Write[] => {
  const changed = new Set(writes.map(scopeOf));
  const guards = [...changed].map(
    (team): Write => ({ put: guardKey(keys, team), value: nextGuard(snapshot, team, writes, id) }),
  );
  return [...guards, ...writes.flatMap((write) => toWrites(keys, write))];
};

/** The writes of a change that count for the team's size. */
export const heldWritesOf = (keys: RegistryKeys, writes: readonly RecordWrite[]): Write[] =>
  writes
    .filter(({ kind }) => kind === 'worker' || kind === 'service' || kind === 'node')
    .flatMap((write) => toWrites(keys, write));

export const latest = (entries: readonly (Entry | undefined)[]): bigint =>
  entries.reduce((most, entry) => (entry !== undefined && entry.modRevision > most ? entry.modRevision : most), 0n);

/** Null: teams and users. */
const scopeOf = (write: RecordWrite): string | null =>
  write.kind === 'team' || write.kind === 'user' ? null : write.team;

const guardKey = (keys: RegistryKeys, team: string | null): string =>
  team === null ? keys.guard : keys.teamGuard(team);

const nextGuard = (snapshot: Snapshot, team: string | null, writes: readonly RecordWrite[], id: string): string => {
  const guard = snapshot.guard(team);
  if (guard !== undefined && 'malformed' in guard) throw guard.malformed;
  const { ids, commits }: GuardDocument = guard?.document ?? { ids: {}, commits: [] };
  const raised = { ...ids };
  for (const write of writes) {
    if (write.kind === 'no-hits' || write.record === null || scopeOf(write) !== team) continue;
    raised[write.kind] = Math.max(raised[write.kind] ?? 0, write.record.id);
  }
  return serialize({ ids: raised, commits: [...commits, id].slice(-rememberedCommits) });
};

const knows = ({ key, value }: Entry, id: string): boolean => parseGuard(key, value).commits.includes(id);

const toWrites = (keys: RegistryKeys, write: RecordWrite): Write[] => {
  switch (write.kind) {
    case 'team':
      return write.record === null ? deleteTeam(keys, write.name) : [putOrDelete(keys.team(write.name), write.record)];
    case 'user':
      return [putOrDelete(keys.user(write.identity), write.record)];
    case 'worker':
      return [putOrDelete(keys.worker(write.team, write.identity), write.record)];
    case 'service':
      return [putOrDelete(keys.service(write.team, write.name), write.record)];
    case 'node': {
      const { parent, name } = write.record ?? write.gone;
      return [putOrDelete(keys.node(write.team, parent, name), write.record)];
    }
    case 'no-hits':
      return [{ deletePrefix: keys.allHits(write.team, write.definition) }];
  }
};

const putOrDelete = (key: string, record: Parameters<typeof serialize>[0] | null): Write =>
  record === null ? { delete: key } : { put: key, value: serialize(record) };

/** Deletes a team with everything that only its members could see: its holdings, hits and history. */
const deleteTeam = (keys: RegistryKeys, team: string): Write[] => [
  { delete: keys.team(team) },
  { delete: keys.teamGuard(team) },
  ...keys.holdings(team).map((deletePrefix) => ({ deletePrefix })),
  { deletePrefix: keys.allHits(team) },
  { deletePrefix: keys.histories(team) },
];
