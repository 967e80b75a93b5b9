import { randomUUID } from 'node:crypto';
import { TriggerdError } from '../domain/errors.ts';
import type { Clock } from '../kit/clock.ts';
import type { KeyStore } from '../store/key-store.ts';
import type { RegistryKeys } from './keys.ts';
import type { Mirror } from './mirror.ts';
import type { Team, User } from './model.ts';
import type { Passwords } from './ports.ts';
import { teamRow } from './rows.ts';
import { type Answer, parseStatement } from './statements.ts';
import { serialize } from './wire.ts';

export interface FirstTeam {
  readonly team: string;
  readonly identity: string;
  readonly secret: string;
}

interface InitialiseOptions {
  readonly store: Pick<KeyStore, 'commit' | 'get'>;
  readonly keys: RegistryKeys;
  readonly passwords: Passwords;
  readonly clock: Clock;
}

/**
 * The installation with its first team and admin, in one transaction that only an etcd without an installation accepts.
 * Throws `registry-invalid`, `registry-exists`, and the store's errors.
 */
export const initialise = async (options: InitialiseOptions, mirror: Mirror, first: FirstTeam): Promise<Answer> => {
  const { store, keys, passwords, clock } = options;
  // Check the first user like every later one.
  parseStatement({ verb: 'user.add', ...first });
  if ((await store.get(keys.installation)) !== undefined) throw already();
  const id = randomUUID();
  const now = new Date(clock.now()).toISOString();
  const { team, user } = firstRecords(first, await passwords.hash(first.secret), now);
  const { succeeded, revision, read } = await store.commit({
    compare: [
      { key: keys.installation, is: 'absent' },
      { key: keys.guard, is: 'absent' },
    ],
    write: [
      { put: keys.installation, value: serialize({ id, created_at: now }) },
      { put: keys.guard, value: serialize({ ids: { team: 1, user: 1 }, commits: [id] }) },
      { put: keys.team(team.name), value: serialize(team) },
      { put: keys.user(user.identity), value: serialize(user) },
    ],
    otherwiseGet: [keys.installation],
  });
  // An earlier attempt may have succeeded and its answer been lost.
  if (!succeeded && !read.some(({ value }) => value.includes(id))) throw already();
  await mirror.current(revision);
  return { kind: 'team', rows: [teamRow(team, { users: new Map([[user.identity, user]]) })], notices: [] };
};

const firstRecords = ({ team: name, identity }: FirstTeam, secretHash: string, now: string) => {
  const times = { created_at: now, updated_at: now };
  const team: Team = {
    id: 1,
    name,
    description: '',
    owner: identity,
    owner_id: 1,
    members: { [identity]: 'admin' },
    invited: {},
    ...times,
  };
  const user: User = {
    id: 1,
    identity,
    description: '',
    home: name,
    secret_hash: secretHash,
    disabled: false,
    generation: 1,
    ...times,
  };
  return { team, user };
};

const already = (): TriggerdError =>
  new TriggerdError('registry-exists', 'teams and users exist already; ask an admin of a team to add more');
