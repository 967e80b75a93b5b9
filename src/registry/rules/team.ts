import type { Role, Team, User } from '../model.ts';
import { originOf } from '../origin.ts';
import { teamRow } from '../rows.ts';
import { invitedRole, roleIn, type Snapshot } from '../snapshot.ts';
import { assertMayStepDown, lacking, leaderlessNotice, without } from './leaving.ts';
import { assertTeamQuota } from './limits.ts';
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
  type Rules,
  type Turn,
} from './turn.ts';

export const teamRules: Rules<'team'> = {
  /** Everybody may make a team, and is its admin. One that root makes has no member yet. */
  'team.add': (turn, { name, description = '' }) => {
    const { registry, actor, facts } = turn;
    if (registry.teams.has(name)) throw exists('team', name);
    const user = actor.kind === 'user' ? selfIn(registry, actor.identity) : undefined;
    const origin = user === undefined ? {} : { origin: originOf(registry, user) };
    if (origin.origin !== undefined) assertTeamQuota(registry, origin.origin);
    const team: Team = {
      id: nextId(turn, null, 'team', registry.teams.size),
      name,
      description,
      owner: user?.identity ?? '',
      owner_id: user?.id ?? 0,
      ...origin,
      members: user === undefined ? {} : { [user.identity]: 'admin' },
      invited: {},
      created_at: facts.now,
      updated_at: facts.now,
    };
    return changed(registry, team);
  },

  'team.set': (turn, { name, description, owner }) => {
    const { team } = adminOf(turn, name);
    if (owner !== undefined && roleIn(team, owner) !== 'admin') throw invalid(`“${owner}” is not an admin of ${name}`);
    const owner_id = owner === undefined ? undefined : turn.registry.users.get(owner)?.id;
    return changed(turn.registry, { ...team, ...given({ description, owner, owner_id }), updated_at: turn.facts.now });
  },

  /** The teams that one is in, and those that one is asked to join; of these no more than their name. */
  'team.list': ({ registry, actor }) => {
    const teams = [...registry.teams.values()];
    if (actor.kind === 'local') return answering(teams.map((team) => teamRow(team, registry)));
    const { identity } = actor;
    return answering(
      teams.flatMap((team) => {
        if (roleIn(team, identity) !== undefined) return teamRow(team, registry);
        const role = invitedRole(team, identity);
        return role === undefined ? [] : teamRow({ ...team, members: {}, invited: { [identity]: role } }, null);
      }),
    );
  },

  /** Only an empty one, unless root forces it. Users that are in no other team go with it. */
  'team.delete': (turn, { name, force = false }) => {
    const { team, holdings } = accessTo(turn, name);
    const { registry, actor } = turn;
    if (actor.kind === 'user' && actor.identity !== team.owner) throw denied(`only the owner of ${name} may delete it`);
    if (actor.kind === 'user' && force) throw denied('only root may delete a team with its content');
    const [left] = [
      ...[...holdings.services.keys()].map((service) => `service ${service}`),
      ...[...holdings.workers.keys()].map((worker) => `worker ${worker}`),
      ...[...holdings.nodes.values()].map((node) => `${node.kind} ${node.name}`),
    ];
    if (left !== undefined && !force) throw inUse(`${name} still has ${left}`);
    const homeless = [...registry.users.values()].filter(({ home }) => home === name);
    const users = homeless.slice(0, maxWrites).map((user) => withoutHome(turn, team, user));
    const rows = [teamRow(team, registry)];
    if (homeless.length <= maxWrites) return { writes: [{ kind: 'team', name, record: null }, ...users], rows };
    const gone = new Set(users.flatMap(({ identity, record }) => (record === null ? identity : [])));
    const members = Object.entries(team.members).filter(([identity]) => !gone.has(identity));
    const rest: Team = { ...team, members: Object.fromEntries(members), updated_at: turn.facts.now };
    return { writes: [{ kind: 'team', name, record: rest }, ...users], rows, isUnfinished: true };
  },

  /** He has to accept; root's word needs no answer, and finds room in a full team: it may need an admin. */
  'team.invite': (turn, { team: name, identity, role }) => {
    const { team } = adminOf(turn, name);
    const { registry, actor, facts } = turn;
    if (!registry.users.has(identity)) throw notFound('user', identity);
    if (roleIn(team, identity) !== undefined) throw exists('member', identity);
    if (actor.kind === 'local') return changed(registry, joined(team, identity, role, facts.now));
    assertSpace(team);
    return changed(registry, { ...team, invited: { ...team.invited, [identity]: role }, updated_at: facts.now });
  },

  'team.accept': (turn, { team: name }) => {
    const { team, identity, role } = invitation(turn, name);
    return changed(turn.registry, join(team, identity, role, turn.facts.now));
  },

  'team.decline': (turn, { team: name }) => {
    const { team, identity } = invitation(turn, name);
    return changed(turn.registry, { ...team, invited: lacking(team.invited, identity), updated_at: turn.facts.now });
  },

  /** An admin removes a member or an invitation; everybody may go himself. Only root removes the last admin, and the owner. */
  'team.remove': (turn, { team: name, identity }) => {
    const { team, role } = accessTo(turn, name);
    const { registry, actor, facts } = turn;
    const isSelf = actor.kind === 'user' && actor.identity === identity;
    if (role !== 'admin' && !isSelf) throw denied(`only an admin of ${name} may do this`);
    if (roleIn(team, identity) === undefined && invitedRole(team, identity) === undefined)
      throw notFound('member', identity);
    if (actor.kind === 'user') assertMayStepDown(registry, team, identity);
    const rest = without(team, identity, facts.now);
    return changed(registry, rest, leaderlessNotice(registry, rest));
  },
};

/** One whose home goes: deleted, or without a home where another team has them. */
const withoutHome = ({ registry, facts }: Turn, team: Team, user: User) => {
  const isElsewhere = [...registry.teams.values()].some(
    (other) => other !== team && roleIn(other, user.identity) !== undefined,
  );
  const record: User | null = isElsewhere ? { ...user, home: null, updated_at: facts.now } : null;
  return { kind: 'user', identity: user.identity, record } as const;
};

/** The team with one more member. Throws `registry-denied` when it is full. */
export const join = (team: Team, identity: string, role: Role, now: string): Team => {
  assertSpace(team);
  return joined(team, identity, role, now);
};

const joined = (team: Team, identity: string, role: Role, now: string): Team => ({
  ...team,
  members: { ...team.members, [identity]: role },
  invited: lacking(team.invited, identity),
  updated_at: now,
});

/** A transaction of etcd has 128 operations; some are needed for the team itself. */
export const maxWrites = 100;
const maxMembers = 1_000;
const assertSpace = ({ name, members, invited }: Team): void => {
  if (Object.keys(members).length + Object.keys(invited).length >= maxMembers)
    throw denied(`${name} has ${maxMembers} members, and more are not allowed`);
};

const changed = (registry: Snapshot, team: Team, notices: readonly string[] = []): Change => ({
  writes: [{ kind: 'team', name: team.name, record: team }],
  rows: [teamRow(team, registry)],
  notices,
});

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
