/** How users come out of teams, and what stays behind: a team may be left without an admin, and then says so. */
import type { Role, Team } from '../model.ts';
import { hasAdmin, roleIn, type Snapshot } from '../snapshot.ts';
import { inUse } from './refusals.ts';

/** The team without this member or invitation; a team that they owned belongs to nobody then. */
export const without = (team: Team, identity: string, now: string): Team => ({
  ...team,
  ...(team.owner === identity ? { owner: '', owner_id: 0 } : {}),
  members: withoutIdentity(team.members, identity),
  invited: withoutIdentity(team.invited, identity),
  updated_at: now,
});

export const withoutIdentity = (roles: Readonly<Record<string, Role>>, identity: string): Record<string, Role> =>
  Object.fromEntries(Object.entries(roles).filter(([name]) => name !== identity));

/** Throws `registry-in-use` for the owner and the last admin of the team: nobody steps down by mistake. */
export const assertMayStepDown = (registry: Snapshot, team: Team, identity: string): void => {
  if (team.owner === identity) throw inUse(`“${identity}” owns team ${team.name}; give it to another admin first`);
  assertOtherAdmin(registry, team, identity);
};

/** Throws `registry-in-use` when nobody else could manage the team. */
export const assertOtherAdmin = (registry: Snapshot, team: Team, identity: string): void => {
  if (roleIn(team, identity) === 'admin' && !hasAdmin(registry, team, identity))
    throw inUse(`“${identity}” is the last admin of team ${team.name}`);
};

/** What to say of the teams that have no admin any more without this user. */
export const leaderlessNotices = (registry: Snapshot, identity: string): string[] =>
  [...registry.teams.values()]
    .filter((team) => roleIn(team, identity) === 'admin' && !hasAdmin(registry, team, identity))
    .map(({ name }) => leaderless(name));

/** What to say of a team that has no admin. */
export const leaderlessNotice = (registry: Snapshot, team: Team): string[] =>
  hasAdmin(registry, team) ? [] : [leaderless(team.name)];

const leaderless = (team: string): string =>
  `Team ${team} has no enabled admin. Root can give it one: trigger team invite ${team} USER --role admin`;
