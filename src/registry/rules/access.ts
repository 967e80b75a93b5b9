/** Who may do what in which team. */
import type { Role, Service, Team } from '../model.ts';
import { type Holdings, roleIn, type Snapshot } from '../snapshot.ts';
import { denied, notFound } from './refusals.ts';
import type { Actor, RuleContext } from './rule-context.ts';

export interface Access {
  readonly team: Team;
  readonly holdings: Holdings;
  readonly role: Role;
  /** The owner of new records. */
  readonly ownership: Ownership;
  /** Whether the actor may change and delete the record: an admin any, a member their own. */
  mayChange(record: Ownership): boolean;
  maySee(record: Ownership & { readonly visibility: Service['visibility'] }): boolean;
}

export interface Ownership {
  readonly owner: string;
  readonly owner_id: number;
}

/**
 * What the actor may do in this team. Throws `registry-not-found` alike for a team that is not there and one that is not
 * the actor's.
 */
export const accessTo = ({ registry, actor }: Pick<RuleContext, 'registry' | 'actor'>, name: string): Access => {
  const team = registry.teams.get(name);
  const role = team === undefined ? undefined : roleOf(registry, actor, team);
  if (team === undefined || role === undefined) throw notFound('team', name);
  const user = actor.kind === 'user' ? registry.users.get(actor.identity) : undefined;
  const mayChange: Access['mayChange'] = (record) => role === 'admin' || record.owner_id === user?.id;
  return {
    team,
    role,
    holdings: registry.holdings(name),
    ownership: user === undefined ? ownershipOf(team) : { owner: user.identity, owner_id: user.id },
    mayChange,
    maySee: (record) => record.visibility !== 'local' || mayChange(record),
  };
};

/** Throws `registry-denied` for a member. */
export const adminOf = (context: RuleContext, name: string): Access => {
  const access = accessTo(context, name);
  if (access.role !== 'admin') throw denied(`only an admin of ${name} may do this`);
  return access;
};

const roleOf = (registry: Snapshot, actor: Actor, team: Team): Role | undefined => {
  if (actor.kind === 'local') return 'admin';
  if (actor.team !== team.name || (registry.users.get(actor.identity)?.disabled ?? true)) return undefined;
  return roleIn(team, actor.identity);
};

const ownershipOf = ({ owner, owner_id }: Ownership): Ownership => ({ owner, owner_id });

/** Throws `registry-denied`. */
export const assertMayChange = (access: Access, record: Ownership, what: string): void => {
  if (!access.mayChange(record)) throw denied(`${what} belongs to ${record.owner || 'the team'}`);
};
