/** How many teams and users may come from one user and from one team (`origin.ts`): nobody takes those of all. */
import { TriggerdError } from '../../domain/errors.ts';
import type { Origin } from '../model.ts';
import { originOf } from '../origin.ts';
import type { Snapshot } from '../snapshot.ts';

/** Limits for one user, together with all users that they and their users have made. */
export const maxFromUser = { team: 20, user: 1_000 } as const;
/** Limits for one team that root has made: a quarter of all. */
export const maxFromTeam = { team: 250, user: 5_000 } as const;

/** Throws `registry-full` where no further team or user may come from this user or team. */
export const assertQuota = (registry: Snapshot, kind: 'team' | 'user', of: Origin): void => {
  const present =
    kind === 'team'
      ? [...registry.teams.values()].flatMap((team) => team.origin ?? [])
      : [...registry.users.values()].map((user) => originOf(registry, user));
  const fromUser = present.filter(({ user }) => user === of.user).length;
  if (fromUser >= maxFromUser[kind]) {
    const user = [...registry.users.values()].find(({ id }) => id === of.user);
    throw full(`${fromUser} ${kind}s come from “${user?.identity ?? 'a user who is gone'}”`);
  }
  const fromTeam = present.filter(({ team }) => team === of.team).length;
  if (fromTeam < maxFromTeam[kind]) return;
  const team = [...registry.teams.values()].find(({ id }) => id === of.team);
  throw full(`${fromTeam} ${kind}s come from ${team === undefined ? 'a team that is gone' : `team ${team.name}`}`);
};

const full = (why: string): TriggerdError => new TriggerdError('registry-full', `${why}, and more are not allowed`);
