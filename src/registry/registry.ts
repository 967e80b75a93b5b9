import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import PQueue from 'p-queue';
import { TriggerdError } from '../domain/errors.ts';
import type { Clock } from '../kit/clock.ts';
import type { Log } from '../kit/log.ts';
import type { KeyStore } from '../store/key-store.ts';
import { Bounds, defaultLimits, type RegistryLimits } from './bounds.ts';
import { commitChange, heldWritesOf, latest, writesOf } from './commit.ts';
import { listHistory } from './history.ts';
import { counterOf, hitWrites, writeHits } from './hits.ts';
import { type FirstTeam, initialise } from './initialise.ts';
import type { RegistryKeys } from './keys.ts';
import { Mirror, type MirrorOptions } from './mirror.ts';
import type { Passwords, WorkerTokens } from './ports.ts';
import type { DefinitionRow } from './rows.ts';
import { accessTo } from './rules/access.ts';
import type { Actor, Change, Facts, Of } from './rules/rule-context.ts';
import { decide } from './rules/rules.ts';
import type { RegistryState } from './snapshot.ts';
import { type Answer, parseStatement, type Statement } from './statements.ts';
import { parseOnline } from './wire.ts';

export interface RegistryOptions extends Pick<MirrorOptions, 'relistMs' | 'catchUpMs'> {
  readonly store: Pick<KeyStore, 'commit' | 'list' | 'page' | 'watch' | 'get' | 'getMany'>;
  readonly keys: RegistryKeys;
  readonly passwords: Passwords;
  readonly tokens: WorkerTokens;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: RegistryLimits;
  /** Throws `etcd-nearly-full` while only firings should be written; `bytes` are about to be. Default: there is room. */
  readonly assertSpace?: (bytes: number) => Promise<void>;
  /** Monotonic ms. */
  readonly monotonic?: () => number;
}

/** How often a change is decided again if other users change the same team at the same time. */
const maxTries = 50;
const maxPauseMs = 200;
/** Parts of a change that does not fit one transaction; no change has more. */
const maxParts = 500;

/**
 * The registry: teams, users, workers, services, trigger files, in etcd. Every change is decided by pure rules on one
 * state, and written only if that is the state still (`commit.ts`); else it is decided anew.
 */
export class Registry {
  readonly mirror: Mirror;
  /** Shared with logins, so that two passwords are hashed at a time in all. */
  readonly passwords: Passwords;
  readonly #options: RegistryOptions;
  readonly #bounds: Bounds;
  /** Changes of this process wait here instead of conflicting with each other in etcd. */
  readonly #changes = new PQueue({ concurrency: 1 });

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.passwords = options.passwords;
    this.#bounds = new Bounds({
      limits: options.limits ?? defaultLimits,
      assertSpace: options.assertSpace ?? (async () => undefined),
      now: options.monotonic ?? (() => performance.now()),
    });
    this.mirror = new Mirror(options);
  }

  /**
   * Carries out a statement from anywhere. Throws `registry-*`, and the store's errors; after one of those a change may
   * have been made. What it answers shows the change also to the next question here. `seen` is the revision of an earlier
   * answer, or empty: only for lists of the tree, which say by it that nothing has changed.
   */
  async execute(actor: Actor, input: unknown, seen?: string): Promise<Answer> {
    const statement = parseStatement(input);
    if (seen !== undefined && isTreeList(statement)) return this.#since(actor, statement, seen);
    return this.#execute(actor, statement);
  }

  /** Makes the first team and its admin. Throws `registry-exists` when there is an installation, and as `execute`. */
  initialise(first: FirstTeam): Promise<Answer> {
    return initialise(this.#options, this.mirror, first);
  }

  /** Every change raises a guard: without one the caller's answer is current. Hits are no change. */
  async #since(actor: Actor, statement: TreeList, seen: string): Promise<Answer> {
    const reached = await this.#reached(statement);
    const revision = String(reached);
    if (revision !== seen) return { ...(await this.#execute(actor, statement)), revision };
    accessTo({ registry: await this.mirror.current(reached), actor }, statement.team);
    return { kind: kindOf(statement), rows: [], notices: [], revision, unchanged: true };
  }

  async #execute(actor: Actor, statement: Statement): Promise<Answer> {
    const change = await this.#carryOutWhole(actor, statement);
    const rows =
      statement.verb === 'history.list'
        ? await listHistory(this.#options, statement, change.shows ?? nothing)
        : change.rows;
    if (statement.verb === 'definition.count') await this.#count(actor, statement, rows as readonly DefinitionRow[]);
    return { kind: kindOf(statement), rows, notices: change.notices ?? [] };
  }

  /** Writes only counts that differ from the known ones. */
  async #count(actor: Actor, statement: Of<'definition.count'>, rows: readonly DefinitionRow[]) {
    const { team, hits } = statement;
    const counter = counterOf(actor, statement.counter);
    const snapshot = await this.mirror.current();
    const known = snapshot.holdings(team);
    const lastAt = this.#options.clock.now();
    const counted = new Map(
      rows
        .map(({ id }) => [id, { count: hits[id] ?? 0, lastAt }] as const)
        .filter(([id, { count }]) => known.counted(id, counter) !== count),
    );
    const writes = hitWrites(this.#options.keys, team, counter, counted);
    if (writes.length === 0) return;
    this.#bounds.assertTeamSpace(snapshot, team, statement, writes);
    await this.#bounds.admitHits(actor, writes);
    await writeHits(this.#options, team, counter, counted);
  }

  async #carryOutWhole(actor: Actor, statement: Statement): Promise<Change> {
    for (let parts = 0; parts < maxParts; parts++) {
      const change = await this.#carryOut(actor, statement);
      if (change.isUnfinished !== true) return change;
    }
    throw new TriggerdError('registry-changed', `${statement.verb}: not finished after ${maxParts} parts`);
  }

  async #carryOut(actor: Actor, statement: Statement): Promise<Change> {
    // Every change that any broker has answered before is in it.
    const snapshot = await this.mirror.current(await this.#reached(statement));
    if (snapshot.installation === undefined)
      throw new TriggerdError('registry-empty', 'the registry has no teams and users yet');
    const now = new Date(this.#options.clock.now()).toISOString();
    const idle: Facts = {
      now,
      secretHash: '',
      workerToken: { token: '', hash: '' },
      online: statement.verb.startsWith('worker.') ? await readOnline(this.#options) : new Map(),
      argumentBytes: this.#bounds.argumentBytes,
    };
    // A refused statement costs no hash, and one that changes nothing does not wait for changes.
    const rehearsal = decide({ registry: snapshot, actor, facts: idle }, statement);
    if (rehearsal.writes.length === 0) return rehearsal;
    this.#assertTeamSpace(snapshot, statement, rehearsal);
    await this.#bounds.admit(actor, statement, writesOf(this.#options.keys, snapshot, rehearsal.writes, randomUUID()));
    const secret = 'secret' in statement ? statement.secret : undefined;
    const secretHash = secret === undefined ? '' : await this.#options.passwords.hash(secret);
    const facts: Facts = { ...idle, secretHash, workerToken: this.#options.tokens.create() };
    return this.#changes.add(() => this.#change(snapshot, actor, statement, facts));
  }

  async #change(rehearsed: RegistryState, actor: Actor, statement: Statement, facts: Facts): Promise<Change> {
    const { store, keys } = this.#options;
    const id = randomUUID();
    let registry = rehearsed;
    for (let tries = 1; tries <= maxTries; tries++) {
      const change = decide({ registry, actor, facts }, statement);
      this.#assertTeamSpace(registry, statement, change);
      const { isDone, revision } = await commitChange(store, keys, registry, change.writes, id);
      registry = await this.mirror.current(revision);
      if (isDone) return change;
      await delay(Math.random() * Math.min(maxPauseMs, 10 * tries));
    }
    throw new TriggerdError(
      'registry-changed',
      `${statement.verb}: other users changed the same entry ${maxTries} times`,
    );
  }

  #assertTeamSpace(registry: RegistryState, statement: Statement, { writes }: Change): void {
    const team = teamOf(statement);
    const held = heldWritesOf(this.#options.keys, writes);
    if (team !== undefined && held.length > 0) this.#bounds.assertTeamSpace(registry, team, statement, held);
  }

  /** The revision of the last change of what this statement is about. */
  async #reached(statement: Statement): Promise<bigint> {
    const { store, keys } = this.#options;
    const team = teamOf(statement);
    const guards = await store.getMany([keys.guard, ...(team === undefined ? [] : [keys.teamGuard(team)])]);
    return latest(guards);
  }
}

type TreeList = Of<'directory.list' | 'definition.list'>;

const isTreeList = (statement: Statement): statement is TreeList =>
  statement.verb === 'directory.list' || statement.verb === 'definition.list';

const nothing = (): boolean => false;

/** Since when each worker is connected, to any broker, as `team/identity`. Throws the store's errors. */
const readOnline = async ({ store, keys }: Pick<RegistryOptions, 'store' | 'keys'>): Promise<Map<string, string>> => {
  const { entries } = await store.list(keys.onlines);
  const online = new Map<string, string>();
  for (const { key, value } of entries)
    for (const [worker, { since }] of Object.entries(parseOnline(key, value).workers)) {
      const other = online.get(worker);
      if (other === undefined || since < other) online.set(worker, since);
    }
  return online;
};

/** The team whose guard covers this statement. */
const teamOf = (statement: Statement): string | undefined => {
  if (statement.verb === 'team.delete') return statement.name;
  return 'team' in statement ? statement.team : undefined;
};

const kindOf = (statement: Statement): Answer['kind'] => statement.verb.split('.')[0] as Answer['kind'];
