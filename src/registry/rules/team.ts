import type { Role, Team, User } from '../model.ts';
import { teamRow } from '../rows.ts';
import { invitedRole, roleIn, type Snapshot } from '../snapshot.ts';
import { accessTo, adminOf } from './access.ts';
import { assertMayStepDown, leaderlessNotice, without, withoutIdentity } from './leaving.ts';
import { assertQuota, originOf } from './limits.ts';
import { denied, exists, inUse, invalid, notFound } from './refusals.ts';
import { answering, type Change, given, nextId, type RuleContext, type Rules } from './rule-context.ts';

export const teamRules: Rules<'team'> = {
  /** Every user may make a team, and is its admin. A team that root makes has no members yet. */
  'team.add': (context, { name, description = '' }) => {
    const { registry, actor, facts } = context;
    if (registry.teams.has(name)) throw exists('team', name);
    const user = actor.kind === 'user' ? selfIn(registry, actor.identity) : undefined;
    const origin = user === undefined ? {} : { origin: originOf(registry, user) };
    if (origin.origin !== undefined) assertQuota(registry, 'team', origin.origin);
    const team: Team = {
      id: nextId(context, null, 'team', registry.teams.size),
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

  'team.set': (context, { name, description, owner }) => {
    const { team } = adminOf(context, name);
    if (owner !== undefined && roleIn(team, owner) !== 'admin') throw invalid(`“${owner}” is not an admin of ${name}`);
    const owner_id = owner === undefined ? undefined : context.registry.users.get(owner)?.id;
    return changed(context.registry, {
      ...team,
      ...given({ description, owner, owner_id }),
      updated_at: context.facts.now,
    });
  },

  /** Lists the user's teams, and the names of teams that invite the user. */
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

  /** Deletes an empty team, or any team if root forces it. Users that are in no other team are deleted with it. */
  'team.delete': (context, { name, force = false }) => {
    const { team, holdings } = accessTo(context, name);
    const { registry, actor } = context;
    if (actor.kind === 'user' && actor.identity !== team.owner) throw denied(`only the owner of ${name} may delete it`);
    if (actor.kind === 'user' && force) throw denied('only root may delete a team with its content');
    const [left] = [
      ...[...holdings.services.keys()].map((service) => `service ${service}`),
      ...[...holdings.workers.keys()].map((worker) => `worker ${worker}`),
      ...[...holdings.nodes.values()].map((node) => `${node.kind} ${node.name}`),
    ];
    if (left !== undefined && !force) throw inUse(`${name} still has ${left}`);
    const homeless = [...registry.users.values()].filter(({ home }) => home === name);
    const users = homeless.slice(0, maxWrites).map((user) => withoutHome(context, team, user));
    const rows = [teamRow(team, registry)];
    if (homeless.length <= maxWrites) return { writes: [{ kind: 'team', name, record: null }, ...users], rows };
    const gone = new Set(users.flatMap(({ identity, record }) => (record === null ? identity : [])));
    const members = Object.entries(team.members).filter(([identity]) => !gone.has(identity));
    const rest: Team = { ...team, members: Object.fromEntries(members), updated_at: context.facts.now };
    return { writes: [{ kind: 'team', name, record: rest }, ...users], rows, isUnfinished: true };
  },

  /** The user must accept. An invitation by root needs no answer and ignores the limit of members: the team may need an admin. */
  'team.invite': (context, { team: name, identity, role }) => {
    const { team } = adminOf(context, name);
    const { registry, actor, facts } = context;
    if (!registry.users.has(identity)) throw notFound('user', identity);
    if (roleIn(team, identity) !== undefined) throw exists('member', identity);
    if (actor.kind === 'local') return changed(registry, joined(team, identity, role, facts.now));
    assertSpace(team);
    return changed(registry, { ...team, invited: { ...team.invited, [identity]: role }, updated_at: facts.now });
  },

  'team.accept': (context, { team: name }) => {
    const { team, identity, role } = invitation(context, name);
    return changed(context.registry, join(team, identity, role, context.facts.now));
  },

  'team.decline': (context, { team: name }) => {
    const { team, identity } = invitation(context, name);
    return changed(context.registry, {
      ...team,
      invited: withoutIdentity(team.invited, identity),
      updated_at: context.facts.now,
    });
  },

  /** An admin removes a member or an invitation; every user may leave. Only root removes the last admin and the owner. */
  'team.remove': (context, { team: name, identity }) => {
    const { team, role } = accessTo(context, name);
    const { registry, actor, facts } = context;
    const isSelf = actor.kind === 'user' && actor.identity === identity;
    if (role !== 'admin' && !isSelf) throw denied(`only an admin of ${name} may do this`);
    if (roleIn(team, identity) === undefined && invitedRole(team, identity) === undefined)
      throw notFound('member', identity);
    if (actor.kind === 'user') assertMayStepDown(registry, team, identity);
    const rest = without(team, identity, facts.now);
    return changed(registry, rest, leaderlessNotice(registry, rest));
  },
};

/** A user whose home is deleted: deleted as well, or without a home if another team has them. */
const withoutHome = ({ registry, facts }: RuleContext, team: Team, user: User) => {
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
  invited: withoutIdentity(team.invited, identity),
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

/** The acting user, without a team. Throws `registry-denied` if the user is disabled or gone. */
const selfIn = (registry: Snapshot, identity: string): User => {
  const user = registry.users.get(identity);
  if (user === undefined || user.disabled) throw denied('only a user may do this');
  return user;
};

const invitation = ({ registry, actor }: RuleContext, name: string) => {
  if (actor.kind === 'local') throw denied('only the user who was invited may answer');
  selfIn(registry, actor.identity);
  const team = registry.teams.get(name);
  const role = team === undefined ? undefined : invitedRole(team, actor.identity);
  if (team === undefined || role === undefined) throw notFound('invitation to team', name);
  return { team, identity: actor.identity, role };
};
