/**
 * What a rule sees and gives. A rule is pure: the registry as it is, who asks, and what it asks; it answers with what is
 * to be written and said, or throws a `TriggerdError`. It may be run again on a newer registry before it takes effect.
 */

import { TriggerdError } from '../../domain/errors.ts';
import type { RequestRecord } from '../../domain/request-record.ts';
import type { Role, Service, Team, TreeNode, User, Worker } from '../model.ts';
import { type Holdings, roleIn, type Snapshot } from '../snapshot.ts';
import type { Statement } from '../statements.ts';

/** `local`: whoever may use the control socket; may do everything. A user acts in the team of his token. */
export type Actor =
  | { readonly kind: 'local' }
  | { readonly kind: 'user'; readonly identity: string; readonly team: string };

/** Values that a rule cannot make itself, because it is pure. */
export interface Facts {
  /** ISO 8601. */
  readonly now: string;
  /** Hash of the statement's secret. */
  readonly secretHash: string;
  readonly workerToken: { readonly token: string; readonly hash: string };
  /** Connected workers as `team/identity`, and since when. */
  readonly online: ReadonlyMap<string, string>;
  /** Bytes of the names and values of a definition's arguments, at most. */
  readonly argumentBytes: number;
}

export interface RuleContext {
  readonly registry: Snapshot;
  readonly actor: Actor;
  readonly facts: Facts;
}

export interface Change {
  readonly writes: readonly RecordWrite[];
  readonly rows: readonly object[];
  readonly notices?: readonly string[];
  /** The change takes more than one transaction: carry out the same statement again. */
  readonly isUnfinished?: true;
  /** For `history.list`, whose pages are read outside (`history.ts`): whether the actor may see a record. */
  readonly shows?: (record: RequestRecord) => boolean;
}

/** Null: delete it. Deleting a team deletes all that it holds. */
export type RecordWrite =
  | { readonly kind: 'team'; readonly name: string; readonly record: Team | null }
  | { readonly kind: 'user'; readonly identity: string; readonly record: User | null }
  | { readonly kind: 'worker'; readonly team: string; readonly identity: string; readonly record: Worker | null }
  | { readonly kind: 'service'; readonly team: string; readonly name: string; readonly record: Service | null }
  | ({ readonly kind: 'node'; readonly team: string } & (
      | { readonly record: TreeNode }
      | { readonly record: null; readonly gone: TreeNode }
    ))
  | { readonly kind: 'no-hits'; readonly team: string; readonly definition: number };

export type Rule<S extends Statement> = (context: RuleContext, statement: S) => Change;
export type Of<Verb extends Statement['verb']> = Extract<Statement, { readonly verb: Verb }>;
/** The rules of all statements about a noun, by verb. */
export type Rules<Noun extends string> = {
  readonly [Verb in Statement['verb'] & `${Noun}.${string}`]: Rule<Of<Verb>>;
};

export const answering = (rows: readonly object[], notices?: readonly string[]): Change =>
  notices === undefined ? { writes: [], rows } : { writes: [], rows, notices };

// ── who may what ────────────────────────────────────────────────────────────────────────────────────────────────────

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

// ── what rules refuse ───────────────────────────────────────────────────────────────────────────────────────────────

export const notFound = (kind: string, name: string): TriggerdError =>
  new TriggerdError('registry-not-found', `there is no ${kind} “${name}”`);
export const exists = (kind: string, name: string): TriggerdError =>
  new TriggerdError('registry-exists', `a ${kind} “${name}” exists already`);
export const denied = (why: string): TriggerdError => new TriggerdError('registry-denied', why);
export const inUse = (why: string): TriggerdError => new TriggerdError('registry-in-use', why);
export const invalid = (why: string): TriggerdError => new TriggerdError('registry-invalid', why);

// ── numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export type Counted = 'team' | 'user' | 'worker' | 'service' | 'node';

/** Records of a kind in a team, or in the installation: each broker has all of them in memory. */
const limits: Readonly<Record<Counted, number>> = {
  team: 1_000,
  user: 20_000,
  worker: 20_000,
  service: 20_000,
  node: 20_000,
};

/** The next number of this kind. Throws `registry-denied` when there are as many as there may be. */
export const nextId = ({ registry }: RuleContext, team: string | null, kind: Counted, present: number): number => {
  if (present >= limits[kind]) throw denied(`there are ${present} of this kind, and more are not allowed`);
  const guard = registry.guard(team);
  if (guard === undefined) return 1;
  if ('malformed' in guard) throw guard.malformed;
  return (guard.document.ids[kind] ?? 0) + 1;
};

/** The settings that a statement gives; others stay as they are. */
export const given = <Settings extends object>(
  settings: Settings,
): { -readonly [Key in keyof Settings]?: Exclude<Settings[Key], undefined> } =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Settings]?: Exclude<Settings[Key], undefined>;
  };
