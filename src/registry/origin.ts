/**
 * To whom what a user makes is counted. Everybody may make a team and be its admin, and an admin makes users: a limit for
 * each user would bind nobody. So a team that a user makes, and all users and teams that come from it, count as theirs.
 * A team that root makes begins anew: each of its own users is counted alone, and all of them together for that team.
 */
import type { Origin, Team, User } from './model.ts';
import type { Snapshot } from './snapshot.ts';

/** Records of an earlier version have no origin: then it is that of their home, or they are an origin themselves. */
export const originOf = ({ teams }: Pick<Snapshot, 'teams'>, { id, home, origin }: User): Origin => {
  const team = home === null ? undefined : teams.get(home);
  return origin ?? (team === undefined ? { user: id, team: 0 } : originIn(team, id));
};

/** The origin of a user with this number whose home is this team. */
export const originIn = ({ id, origin }: Team, user: number): Origin => origin ?? { user, team: id };
