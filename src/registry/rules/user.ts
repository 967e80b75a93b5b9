import type { Role, Team, User } from '../model.ts';
import { userRow } from '../rows.ts';
import { roleIn } from '../snapshot.ts';
import { type Access, accessTo, adminOf } from './access.ts';
import { assertMayStepDown, assertOtherAdmin, leaderlessNotice, leaderlessNotices, without } from './leaving.ts';
import { assertQuota, originIn, originOf } from './limits.ts';
import { denied, exists, inUse, notFound } from './refusals.ts';
import {
  answering,
  type Change,
  given,
  nextId,
  type RecordWrite,
  type RuleContext,
  type Rules,
} from './rule-context.ts';
import { join, maxWrites } from './team.ts';

export const userRules: Rules<'user'> = {
  /** Adds a user whose home is this team. A user of another team is invited instead. */
  'user.add': (context, { team: name, identity, role = 'member', description = '' }) => {
    const { team } = adminOf(context, name);
    const { registry, actor, facts } = context;
    if (registry.users.has(identity)) throw exists('user', identity);
    const id = nextId(context, null, 'user', registry.users.size);
    const origin = originIn(team, id);
    if (actor.kind === 'user') assertQuota(registry, 'user', origin);
    const user: User = {
      id,
      identity,
      description,
      home: name,
      origin,
      secret_hash: facts.secretHash,
      disabled: false,
      generation: 1,
      created_at: facts.now,
      updated_at: facts.now,
    };
    return changed(join(team, identity, role, facts.now), user, team);
  },

  /**
   * Users and the admins of their home set password and description; the role is the team's affair. Whoever may end a user
   * may disable them, whatever they are the last admin of. A new password and being disabled end all tokens.
   */
  'user.set': (context, { team: name, identity, secret, role, disabled, description }) => {
    const { access, user } = userIn(context, name, identity);
    const { registry, facts, actor } = context;
    const isSelf = actor.kind === 'user' && actor.identity === identity;
    if ((secret !== undefined || description !== undefined) && !isSelf && !mayGovern(context, user))
      throw denied(`only “${identity}” and the admins of their home team may do this`);
    if (disabled !== undefined && !mayEnd(context, user))
      throw denied(`only the admins of the home team of “${identity}” may do this`);
    if (disabled === true && isSelf) assertOtherAdmin(registry, access.team, identity);
    const endsTokens = secret !== undefined || (disabled === true && !user.disabled);
    const updated: User = {
      ...user,
      ...given({ disabled, description }),
      secret_hash: secret === undefined ? user.secret_hash : facts.secretHash,
      generation: user.generation + (endsTokens ? 1 : 0),
      updated_at: facts.now,
    };
    const team = role === undefined ? access.team : withRole(context, access, identity, role);
    const notices =
      disabled === true
        ? leaderlessNotices(registry, identity)
        : role === 'member'
          ? leaderlessNotice(registry, team)
          : [];
    return changed(team, updated, access.team, notices);
  },

  'user.revoke': (context, { team: name, identity }) => {
    const { access, user } = userIn(context, name, identity);
    const isSelf = context.actor.kind === 'user' && context.actor.identity === identity;
    if (!isSelf && !mayEnd(context, user))
      throw denied(`only “${identity}” and the admins of their home team may do this`);
    return changed(
      access.team,
      { ...user, generation: user.generation + 1, updated_at: context.facts.now },
      access.team,
    );
  },

  /** Members and those who are invited; for an admin also those who come from the team and are not in it (any more). */
  'user.list': (context, { team: name }) => {
    const access = accessTo(context, name);
    const { team, role } = access;
    const { users } = context.registry;
    const named = [...Object.keys(team.members), ...Object.keys(team.invited)];
    const present = new Set(named.flatMap((each) => users.get(each) ?? []));
    const elsewhere =
      role === 'admin'
        ? [...users.values()].filter((user) => !present.has(user) && comesFrom(context, team, user))
        : [];
    return answering([...present, ...elsewhere].map((user) => userRow(team, user)));
  },

  /**
   * Out of all teams, also as their last admin: these say that they have none. From a team that is not his home, a user is
   * only removed: `team.remove`. One who is in very many teams is disabled first, and comes out of them in parts.
   */
  'user.delete': (context, { team: name, identity }) => {
    const { access, user } = userIn(context, name, identity);
    const { registry, facts } = context;
    if (!mayEnd(context, user)) throw denied(`only the admins of the home team of “${identity}” may do this`);
    if (context.actor.kind === 'user' && context.actor.identity === identity) throw inUse('you are this user');
    const teams = [...registry.teams.values()].filter(
      (team) => roleIn(team, identity) !== undefined || Object.hasOwn(team.invited, identity),
    );
    // The user must be found in this team until the end.
    const others = teams.filter((team) => team !== access.team);
    const isUnfinished = teams.length > maxWrites;
    const writes = (isUnfinished ? others.slice(0, maxWrites) : teams).map(
      (team): RecordWrite => ({ kind: 'team', name: team.name, record: without(team, identity, facts.now) }),
    );
    const rows = [userRow(access.team, user)];
    if (!isUnfinished)
      return {
        writes: [{ kind: 'user', identity, record: null }, ...writes],
        rows,
        notices: leaderlessNotices(registry, identity),
      };
    const disabled: User = { ...user, disabled: true, generation: user.generation + 1, updated_at: facts.now };
    return { writes: [{ kind: 'user', identity, record: disabled }, ...writes], rows, isUnfinished };
  },
};

const withRole = (
  { registry, actor }: RuleContext,
  { team, role: own }: Access,
  identity: string,
  role: Role,
): Team => {
  if (own !== 'admin') throw denied(`only an admin of ${team.name} may do this`);
  if (roleIn(team, identity) === undefined) throw notFound('member', identity);
  if (role === 'member' && actor.kind === 'user') assertMayStepDown(registry, team, identity);
  const isOwner = role === 'member' && team.owner === identity;
  const members = { ...team.members, [identity]: role };
  return { ...team, ...(isOwner ? { owner: '', owner_id: 0 } : {}), members };
};

/** A member, or a user from this team who has left it: no user gets out of reach of admins by leaving. */
const userIn = (context: RuleContext, name: string, identity: string) => {
  const access = accessTo(context, name);
  const user = context.registry.users.get(identity);
  const isVisible =
    user !== undefined &&
    (roleIn(access.team, identity) !== undefined || (access.role === 'admin' && comesFrom(context, access.team, user)));
  if (!isVisible) throw notFound('user', identity);
  return { access, user };
};

/** Whether it is the user's home, or users from it made the user. */
const comesFrom = ({ registry }: RuleContext, team: Team, user: User): boolean =>
  user.home === team.name || originOf(registry, user).team === team.id;

/** Whether the actor is root, or an admin of the user's home who acts in that team. */
const mayGovern = (context: RuleContext, { home }: User): boolean => {
  const { actor, registry } = context;
  if (actor.kind === 'local') return true;
  const team = home === null || home !== actor.team ? undefined : registry.teams.get(home);
  return team !== undefined && roleIn(team, actor.identity) === 'admin';
};

/** Whether the actor may disable, revoke and delete the user: includes admins of the team that the user's makers come from. */
const mayEnd = (context: RuleContext, user: User): boolean => {
  const { actor, registry } = context;
  if (mayGovern(context, user)) return true;
  const team = actor.kind === 'user' ? registry.teams.get(actor.team) : undefined;
  return (
    actor.kind === 'user' &&
    team !== undefined &&
    comesFrom(context, team, user) &&
    roleIn(team, actor.identity) === 'admin'
  );
};

/** `before`: the present team; the team is written only if it changes. */
const changed = (team: Team, user: User, before: Team, notices: readonly string[] = []): Change => {
  const membership: RecordWrite[] = team === before ? [] : [{ kind: 'team', name: team.name, record: team }];
  return {
    writes: [{ kind: 'user', identity: user.identity, record: user }, ...membership],
    rows: [userRow(team, user)],
    notices,
  };
};
