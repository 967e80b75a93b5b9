/**
 * What a rule sees and gives. A rule is pure: the registry as it is, who asks, and what it asks; it answers with what is
 * to be written and said, or throws a `TriggerdError`. It may be run again on a newer registry before it takes effect.
 */

import type { RequestRecord } from '../../domain/request-record.ts';
import type { Service, Team, TreeNode, User, Worker } from '../model.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Statement } from '../statements.ts';
import { denied } from './refusals.ts';

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
