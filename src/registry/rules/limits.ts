/**
 * How many teams and users may come from one user and from one team: nobody takes those of all.
 *
 * To whom what a user makes is counted. Everybody may make a team and be its admin, and an admin makes users: a limit for
 * each user would bind nobody. So a team that a user makes, and all users and teams that come from it, count as theirs.
 * A team that root makes begins anew: each of its own users is counted alone, and all of them together for that team.
 */
import { TriggerdError } from '../../domain/errors.ts';
import type { Origin, Team, User } from '../model.ts';
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

/** Records of an earlier version have no origin: then it is that of their home, or they are an origin themselves. */
export const originOf = ({ teams }: Pick<Snapshot, 'teams'>, { id, home, origin }: User): Origin => {
  const team = home === null ? undefined : teams.get(home);
  return origin ?? (team === undefined ? { user: id, team: 0 } : originIn(team, id));
};

/** The origin of a user with this number whose home is this team. */
export const originIn = ({ id, origin }: Team, user: number): Origin => origin ?? { user, team: id };
