import type { Role, Team, User } from '../model.ts';
import { teamRow } from '../rows.ts';
import { invitedRole, roleIn, type Snapshot } from '../snapshot.ts';
import {
  accessTo,
  adminOf,
  answering,
  type Change,
  denied,
  exists,
  given,
  inUse,
  invalid,
  nextId,
  notFound,
  type Of,
  type RecordWrite,
  type Rule,
  type Turn,
} from './turn.ts';

/** Everybody may make a team, and is its admin. One that root makes has no member yet. */
export const addTeam: Rule<Of<'team.add'>> = (turn, { name, description = '' }) => {
  const { registry, actor, facts } = turn;
  if (registry.teams.has(name)) throw exists('team', name);
  const user = actor.kind === 'user' ? selfIn(registry, actor.identity) : undefined;
  const team: Team = {
    id: nextId(turn, null, 'team', registry.teams.size),
    name,
    description,
    owner: user?.identity ?? '',
    owner_id: user?.id ?? 0,
    members: user === undefined ? {} : { [user.identity]: 'admin' },
    invited: {},
    created_at: facts.now,
    updated_at: facts.now,
  };
  return changed(team);
};

export const setTeam: Rule<Of<'team.set'>> = (turn, { name, description, owner }) => {
  const { team } = adminOf(turn, name);
  if (owner !== undefined && roleIn(team, owner) !== 'admin') throw invalid(`“${owner}” is not an admin of ${name}`);
  const owner_id = owner === undefined ? undefined : turn.registry.users.get(owner)?.id;
  return changed({ ...team, ...given({ description, owner, owner_id }), updated_at: turn.facts.now });
};

/** The teams that one is in, and those that one is asked to join; of these no more than their name. */
export const listTeams: Rule<Of<'team.list'>> = ({ registry, actor }) => {
  const teams = [...registry.teams.values()];
  if (actor.kind === 'local') return answering(teams.map(teamRow));
  const { identity } = actor;
  return answering(
    teams.flatMap((team) => {
      if (roleIn(team, identity) !== undefined) return teamRow(team);
      const role = invitedRole(team, identity);
      return role === undefined ? [] : teamRow({ ...team, members: {}, invited: { [identity]: role } });
    }),
  );
};

/** Only an empty one. Users that are in no other team go with it. */
export const deleteTeam: Rule<Of<'team.delete'>> = (turn, { name }) => {
  const { team, holdings } = accessTo(turn, name);
  const { registry, actor, facts } = turn;
  if (actor.kind === 'user' && actor.identity !== team.owner) throw denied(`only the owner of ${name} may delete it`);
  const [left] = [
    ...[...holdings.services.keys()].map((service) => `service ${service}`),
    ...[...holdings.workers.keys()].map((worker) => `worker ${worker}`),
    ...[...holdings.nodes.values()].map((node) => `${node.kind} ${node.name}`),
  ];
  if (left !== undefined) throw inUse(`${name} still has ${left}`);
  const homeless = [...registry.users.values()].filter(({ home }) => home === name);
  const users = homeless.map((user): RecordWrite => {
    const isElsewhere = [...registry.teams.values()].some(
      (other) => other !== team && roleIn(other, user.identity) !== undefined,
    );
    const record: User | null = isElsewhere ? { ...user, home: null, updated_at: facts.now } : null;
    return { kind: 'user', identity: user.identity, record };
  });
  assertOneTransaction(users.length, `${name} has made too many users; delete some of them first`);
  return { writes: [{ kind: 'team', name, record: null }, ...users], rows: [teamRow(team)] };
};

/** He has to accept; root's word needs no answer. */
export const inviteUser: Rule<Of<'team.invite'>> = (turn, { team: name, identity, role }) => {
  const { team } = adminOf(turn, name);
  const { registry, actor, facts } = turn;
  if (!registry.users.has(identity)) throw notFound('user', identity);
  if (roleIn(team, identity) !== undefined) throw exists('member', identity);
  if (actor.kind === 'local') return changed(join(team, identity, role, facts.now));
  assertRoom(team);
  return changed({ ...team, invited: { ...team.invited, [identity]: role }, updated_at: facts.now });
};

export const acceptInvitation: Rule<Of<'team.accept'>> = (turn, { team: name }) => {
  const { team, identity, role } = invitation(turn, name);
  return changed(join(team, identity, role, turn.facts.now));
};

export const declineInvitation: Rule<Of<'team.decline'>> = (turn, { team: name }) => {
  const { team, identity } = invitation(turn, name);
  return changed({ ...team, invited: without(team.invited, identity), updated_at: turn.facts.now });
};

/** An admin removes a member or an invitation; everybody may go himself. */
export const removeMember: Rule<Of<'team.remove'>> = (turn, { team: name, identity }) => {
  const { team, role } = accessTo(turn, name);
  const isSelf = turn.actor.kind === 'user' && turn.actor.identity === identity;
  if (role !== 'admin' && !isSelf) throw denied(`only an admin of ${name} may do this`);
  if (roleIn(team, identity) === undefined && invitedRole(team, identity) === undefined)
    throw notFound('member', identity);
  return changed(leave(turn.registry, team, identity, turn.facts.now));
};

/** The team without this member. Throws `registry-in-use` for its owner and its last admin. */
export const leave = (registry: Snapshot, team: Team, identity: string, now: string): Team => {
  assertMayStepDown(registry, team, identity);
  const { members, invited } = team;
  return { ...team, members: without(members, identity), invited: without(invited, identity), updated_at: now };
};

/** Throws `registry-in-use` for the owner and the last admin of the team: they have to stay its admins. */
export const assertMayStepDown = (registry: Snapshot, team: Team, identity: string): void => {
  if (team.owner === identity) throw inUse(`“${identity}” owns team ${team.name}; give it to another admin first`);
  assertOtherAdmin(registry, team, identity);
};

/** Throws `registry-in-use` when nobody else could manage the team. */
export const assertOtherAdmin = (registry: Snapshot, team: Team, identity: string): void => {
  if (roleIn(team, identity) !== 'admin') return;
  const others = Object.keys(team.members).filter(
    (other) => other !== identity && roleIn(team, other) === 'admin' && registry.users.get(other)?.disabled === false,
  );
  if (others.length === 0) throw inUse(`“${identity}” is the last admin of team ${team.name}`);
};

/** The team with one more member. Throws `registry-denied` when it is full. */
export const join = (team: Team, identity: string, role: Role, now: string): Team => {
  assertRoom(team);
  return {
    ...team,
    members: { ...team.members, [identity]: role },
    invited: without(team.invited, identity),
    updated_at: now,
  };
};

const maxMembers = 1_000;
const assertRoom = ({ name, members, invited }: Team): void => {
  if (Object.keys(members).length + Object.keys(invited).length >= maxMembers)
    throw denied(`${name} has ${maxMembers} members, as many as there may be`);
};

/** A transaction of etcd has 128 operations; some are needed for the team itself. */
export const assertOneTransaction = (writes: number, why: string): void => {
  if (writes > 100) throw inUse(why);
};

const changed = (team: Team): Change => ({
  writes: [{ kind: 'team', name: team.name, record: team }],
  rows: [teamRow(team)],
});

const without = (roles: Readonly<Record<string, Role>>, identity: string): Record<string, Role> =>
  Object.fromEntries(Object.entries(roles).filter(([name]) => name !== identity));

/** For what needs no team. Throws `registry-denied` for a user who is disabled or gone. */
const selfIn = (registry: Snapshot, identity: string): User => {
  const user = registry.users.get(identity);
  if (user === undefined || user.disabled) throw denied('only a user may do this');
  return user;
};

const invitation = ({ registry, actor }: Turn, name: string) => {
  if (actor.kind === 'local') throw denied('only the user who was invited may answer');
  selfIn(registry, actor.identity);
  const team = registry.teams.get(name);
  const role = team === undefined ? undefined : invitedRole(team, actor.identity);
  if (team === undefined || role === undefined) throw notFound('invitation to team', name);
  return { team, identity: actor.identity, role };
};
