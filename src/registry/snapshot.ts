import type * as v from 'valibot';
import { asTriggerdError, TriggerdError } from '../domain/errors.ts';
import { printable } from '../domain/names.ts';
import { parseDocument } from '../store/document.ts';
import type { Entry } from '../store/key-store.ts';
import type { Installation, Issuer, Role, Service, Team, TreeNode, User, Worker } from './model.ts';
import * as model from './model.ts';
import { type GuardDocument, type HitsDocument, parseGuard, parseHits } from './wire.ts';

/** What a team holds, to read. Iteration is in no promised order; `id` has the order of creation. */
export type Holdings = Pick<TeamHoldings, 'child' | 'hits' | 'lastHitAt' | 'counted' | 'hasCapacityFor'> & {
  readonly workers: ReadonlyMap<string, Worker>;
  readonly services: ReadonlyMap<string, Service>;
  readonly nodes: ReadonlyMap<number, TreeNode>;
};

/** The state of one scope's guard. A malformed one stops all changes of its scope: numbers could be given twice. */
export type Guard = { readonly modRevision: bigint; readonly key: string } & (
  | { readonly document: GuardDocument }
  | { readonly malformed: TriggerdError }
);

/** The registry at one revision of the store. The rules read nothing else. */
export interface Snapshot {
  readonly installation: Installation | undefined;
  readonly teams: ReadonlyMap<string, Team>;
  readonly users: ReadonlyMap<string, User>;
  readonly issuers: ReadonlyMap<string, Issuer>;
  holdings(team: string): Holdings;
  /** Bytes that this key and its value take; 0 when it is not there. */
  size(key: string): number;
  /** Bytes of keys and values of all that the team holds, hits included. */
  teamBytes(team: string): number;
  /** Null: the guard of teams and users. */
  guard(team: string | null): Guard | undefined;
}

/** A member's role; `Object.hasOwn` because a user may be called “constructor”. */
export const roleIn = (team: Team, identity: string): Role | undefined => own(team.members, identity);
export const invitedRole = (team: Team, identity: string): Role | undefined => own(team.invited, identity);

/** Whether somebody else than `except` is an admin of it, and enabled. */
export const hasAdmin = ({ users }: Pick<Snapshot, 'users'>, team: Team, except?: string): boolean =>
  Object.keys(team.members).some(
    (identity) => identity !== except && roleIn(team, identity) === 'admin' && users.get(identity)?.disabled === false,
  );

const own = <Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

/** Counters of one trigger: mounts that lose their journals would add more and more. */
const maxCounters = 1_000;

class TeamHoldings {
  readonly workers = new Map<string, Worker>();
  readonly services = new Map<string, Service>();
  /** Directories and definitions by their number. */
  readonly nodes = new Map<number, TreeNode>();
  readonly #children = new Map<string, TreeNode>();
  readonly #hits = new Map<string, Map<string, HitsDocument>>();

  child(parent: number, name: string): TreeNode | undefined {
    return this.#children.get(`${parent}/${name}`);
  }

  /** Writes to the trigger file so far, on all nodes. */
  hits(definition: number): number {
    let sum = 0;
    for (const { hits } of this.#hits.get(String(definition))?.values() ?? []) sum += hits;
    return sum;
  }

  /** Time of the last hit, ISO 8601; empty: not known. */
  lastHitAt(definition: number): string {
    const times = [...(this.#hits.get(String(definition))?.values() ?? [])].map(({ last_at = '' }) => last_at);
    return times.reduce((last, each) => (each > last ? each : last), '');
  }

  /** What this counter of the trigger's hits says; undefined where it has none. */
  counted(definition: number, counter: string): number | undefined {
    return this.#hits.get(String(definition))?.get(counter)?.hits;
  }

  /** Whether this counter of the trigger's hits is known, or may be a new one. */
  hasCapacityFor(definition: number, counter: string): boolean {
    const counts = this.#hits.get(String(definition));
    return counts === undefined || counts.size < maxCounters || counts.has(counter);
  }

  setNode(path: string, node: TreeNode | undefined): void {
    const before = this.#children.get(path);
    this.#children.delete(path);
    // A move puts the node at its new path in the same change; whichever comes first.
    if (before !== undefined && this.nodes.get(before.id) === before) this.nodes.delete(before.id);
    if (node === undefined) return;
    this.#children.set(path, node);
    this.nodes.set(node.id, node);
  }

  setHits(definition: string, node: string, hits: HitsDocument | undefined): void {
    const counts = this.#hits.get(definition) ?? new Map<string, HitsDocument>();
    this.#hits.set(definition, counts);
    if (hits === undefined) counts.delete(node);
    else counts.set(node, hits);
  }
}

type Complain = (key: string, error: TriggerdError) => void;

const setOrDelete = <Value>(map: Map<string, Value>, key: string, value: Value | undefined): void => {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
};

const nameOf = ({ name }: { readonly name: string }): string => name;
const identityOf = ({ identity }: { readonly identity: string }): string => identity;

const nothing: Holdings = new TeamHoldings();

/** Keys below `registry/` whose next segment is the team that they count for. */
const heldByTeam: ReadonlySet<string> = new Set(['workers', 'services', 'tree', 'hits']);

/** Size of a key with its value, in bytes. */
export const sizeOf = (key: string, value: string): number => Buffer.byteLength(key) + Buffer.byteLength(value);

/**
 * The keys below `registry/` as a snapshot that can be kept current. A value that is malformed counts as absent and is
 * complained about; so somebody's nonsense costs that record only.
 */
export class RegistryState implements Snapshot {
  readonly teams = new Map<string, Team>();
  readonly users = new Map<string, User>();
  readonly issuers = new Map<string, Issuer>();
  readonly revisions = new Map<string, bigint>();
  installation: Installation | undefined;
  /** Everything up to this revision of the store is in it. */
  revision: bigint;
  readonly #base: string;
  readonly #complain: Complain;
  readonly #guards = new Map<string, Guard>();
  readonly #sizes = new Map<string, number>();
  readonly #teamBytes = new Map<string, number>();
  readonly #holdings = new Map<string, TeamHoldings>();

  /** `base`: the prefix that all keys begin with. */
  constructor(base: string, revision: bigint, complain: Complain) {
    this.#base = base;
    this.revision = revision;
    this.#complain = complain;
  }

  holdings(team: string): Holdings {
    return this.#holdings.get(team) ?? nothing;
  }

  guard(team: string | null): Guard | undefined {
    return this.#guards.get(team === null ? 'guard' : `guards/${team}`);
  }

  size(key: string): number {
    return this.#sizes.get(key) ?? 0;
  }

  teamBytes(team: string): number {
    return this.#teamBytes.get(team) ?? 0;
  }

  put({ key, value, modRevision }: Entry): void {
    this.revisions.set(key, modRevision);
    this.#resize(key, sizeOf(key, value));
    try {
      this.#set(key, value, modRevision);
    } catch (error) {
      this.#set(key, undefined, modRevision);
      this.#complain(key, asTriggerdError(error));
    }
  }

  delete(key: string): void {
    this.revisions.delete(key);
    this.#resize(key, 0);
    this.#set(key, undefined, 0n);
  }

  /** Undefined deletes. Throws `firing-malformed`; then nothing has changed. */
  #set(key: string, value: string | undefined, modRevision: bigint): void {
    const [kind = '', first = '', second = '', third = '', ...more] = key.slice(this.#base.length).split('/');
    if (more.length > 0) return;
    const parsed = <Schema extends v.GenericSchema>(schema: Schema): v.InferOutput<Schema> | undefined =>
      value === undefined ? undefined : parseDocument(schema, key, value);
    /** A record must be where it says it is: nobody is found under another name. */
    const named = <Schema extends v.GenericSchema>(
      name: string,
      schema: Schema,
      nameOf: (record: v.InferOutput<Schema>) => string,
    ): v.InferOutput<Schema> | undefined => {
      const record = parsed(schema);
      if (record === undefined || nameOf(record) === name) return record;
      throw new TriggerdError('firing-malformed', `${printable(key)}: the name in the document differs from the key`, {
        details: { key },
      });
    };
    switch (kind) {
      case 'installation':
        this.installation = parsed(model.installation);
        break;
      case 'issuers':
        setOrDelete(this.issuers, first, parsed(model.issuer));
        break;
      case 'guard':
      case 'guards':
        this.#setGuard(key, value, modRevision);
        break;
      case 'teams':
        setOrDelete(this.teams, first, named(first, model.team, nameOf));
        break;
      case 'users':
        setOrDelete(this.users, first, named(first, model.user, identityOf));
        break;
      case 'workers':
        setOrDelete(this.#mine(first).workers, second, named(second, model.worker, identityOf));
        break;
      case 'services':
        setOrDelete(this.#mine(first).services, second, named(second, model.service, nameOf));
        break;
      case 'tree': {
        const path = `${second}/${third}`;
        this.#mine(first).setNode(
          path,
          named(path, model.node, ({ parent, name }) => `${parent}/${name}`),
        );
        break;
      }
      case 'hits':
        this.#mine(first).setHits(second, third, value === undefined ? undefined : parseHits(key, value));
        break;
    }
  }

  /** Counts malformed values, too: they take space. */
  #resize(key: string, bytes: number): void {
    const [kind = '', team = ''] = key.slice(this.#base.length).split('/', 2);
    if (heldByTeam.has(kind)) this.#teamBytes.set(team, this.teamBytes(team) + bytes - this.size(key));
    if (bytes === 0) this.#sizes.delete(key);
    else this.#sizes.set(key, bytes);
  }

  #setGuard(key: string, value: string | undefined, modRevision: bigint): void {
    const name = key.slice(this.#base.length);
    if (value === undefined) {
      // A malformed guard still exists and stops changes; a deleted one has revision 0.
      if (modRevision === 0n) this.#guards.delete(name);
      return;
    }
    try {
      this.#guards.set(name, { key, modRevision, document: parseGuard(key, value) });
    } catch (error) {
      this.#guards.set(name, { key, modRevision, malformed: asTriggerdError(error) });
      throw error;
    }
  }

  #mine(team: string): TeamHoldings {
    let holdings = this.#holdings.get(team);
    if (holdings === undefined) {
      holdings = new TeamHoldings();
      this.#holdings.set(team, holdings);
    }
    return holdings;
  }
}
