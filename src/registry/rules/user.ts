import type { Team, User } from '../model.ts';
import { userRow } from '../rows.ts';
import { roleIn } from '../snapshot.ts';
import { assertMayStepDown, assertOneTransaction, assertOtherAdmin, join, leave } from './team.ts';
import {
  accessTo,
  adminOf,
  answering,
  type Change,
  denied,
  exists,
  given,
  inUse,
  nextId,
  notFound,
  type Of,
  type RecordWrite,
  type Rule,
  type Turn,
} from './turn.ts';

/** A new user whose home is this team. One of another team is invited instead. */
export const addUser: Rule<Of<'user.add'>> = (turn, { team: name, identity, role = 'member', description = '' }) => {
  const { team } = adminOf(turn, name);
  const { registry, facts } = turn;
  if (registry.users.has(identity)) throw exists('user', identity);
  const user: User = {
    id: nextId(turn, null, 'user', registry.users.size),
    identity,
    description,
    home: name,
    secret_hash: facts.secretHash,
    disabled: false,
    generation: 1,
    created_at: facts.now,
    updated_at: facts.now,
  };
  return changed(join(team, identity, role, facts.now), user, team);
};

/**
 * The user himself sets password and description, and the admins of his home these and whether he is disabled; the role
 * is the team's affair. A new password and being disabled end all tokens.
 */
export const setUser: Rule<Of<'user.set'>> = (turn, { team: name, identity, secret, role, disabled, description }) => {
  const { access, user } = memberOf(turn, name, identity);
  const { registry, facts } = turn;
  const isHomeAdmin = mayGovern(turn, user);
  const isSelf = turn.actor.kind === 'user' && turn.actor.identity === identity;
  if ((secret !== undefined || description !== undefined) && !isSelf && !isHomeAdmin)
    throw denied(`only “${identity}” and the admins of his home team may do this`);
  if (disabled !== undefined && !isHomeAdmin)
    throw denied(`only the admins of the home team of “${identity}” may do this`);
  if (role !== undefined && access.role !== 'admin') throw denied(`only an admin of ${name} may do this`);
  if (role === 'member') assertMayStepDown(registry, access.team, identity);
  if (disabled === true) for (const team of registry.teams.values()) assertOtherAdmin(registry, team, identity);
  const endsTokens = secret !== undefined || (disabled === true && !user.disabled);
  const updated: User = {
    ...user,
    ...given({ disabled, description }),
    secret_hash: secret === undefined ? user.secret_hash : facts.secretHash,
    generation: user.generation + (endsTokens ? 1 : 0),
    updated_at: facts.now,
  };
  const team: Team =
    role === undefined ? access.team : { ...access.team, members: { ...access.team.members, [identity]: role } };
  return changed(team, updated, access.team);
};

export const revokeUser: Rule<Of<'user.revoke'>> = (turn, { team: name, identity }) => {
  const { access, user } = memberOf(turn, name, identity);
  const isSelf = turn.actor.kind === 'user' && turn.actor.identity === identity;
  if (!isSelf && !mayGovern(turn, user)) throw denied(`only “${identity}” and the admins of his home team may do this`);
  return changed(access.team, { ...user, generation: user.generation + 1, updated_at: turn.facts.now }, access.team);
};

export const listUsers: Rule<Of<'user.list'>> = (turn, { team: name }) => {
  const { team } = accessTo(turn, name);
  const identities = [...Object.keys(team.members), ...Object.keys(team.invited)];
  return answering(
    identities.flatMap((identity) => {
      const user = turn.registry.users.get(identity);
      return user === undefined ? [] : userRow(team, user);
    }),
  );
};

/** Out of all teams. From a team that is not his home, a user is only removed: `team.remove`. */
export const deleteUser: Rule<Of<'user.delete'>> = (turn, { team: name, identity }) => {
  const { access, user } = memberOf(turn, name, identity);
  const { registry, facts } = turn;
  if (!mayGovern(turn, user)) throw denied(`only the admins of the home team of “${identity}” may do this`);
  if (turn.actor.kind === 'user' && turn.actor.identity === identity) throw inUse('you are this user');
  const teams = [...registry.teams.values()].filter(
    (team) => roleIn(team, identity) !== undefined || Object.hasOwn(team.invited, identity),
  );
  assertOneTransaction(teams.length, `“${identity}” is in too many teams; remove him from some first`);
  const writes = teams.map(
    (team): RecordWrite => ({ kind: 'team', name: team.name, record: leave(registry, team, identity, facts.now) }),
  );
  return { writes: [{ kind: 'user', identity, record: null }, ...writes], rows: [userRow(access.team, user)] };
};

const memberOf = (turn: Turn, name: string, identity: string) => {
  const access = accessTo(turn, name);
  const user = turn.registry.users.get(identity);
  if (user === undefined || roleIn(access.team, identity) === undefined) throw notFound('user', identity);
  return { access, user };
};

/** Root, and the admins of the team that made the user, acting in that team. */
const mayGovern = (turn: Turn, { home }: User): boolean => {
  const { actor, registry } = turn;
  if (actor.kind === 'local') return true;
  const team = home === null || home !== actor.team ? undefined : registry.teams.get(home);
  return team !== undefined && roleIn(team, actor.identity) === 'admin';
};

/** `before`: the team as it is; it is written only if it changes. */
const changed = (team: Team, user: User, before: Team): Change => {
  const membership: RecordWrite[] = team === before ? [] : [{ kind: 'team', name: team.name, record: team }];
  return {
    writes: [{ kind: 'user', identity: user.identity, record: user }, ...membership],
    rows: [userRow(team, user)],
  };
};
