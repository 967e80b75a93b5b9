import { TriggerdError } from '../domain/errors.ts';
import { TokenBuckets } from '../kit/token-bucket.ts';
import type { Write } from '../store/key-store.ts';
import type { Actor } from './rules/rule-context.ts';
import { type Snapshot, sizeOf } from './snapshot.ts';
import type { Statement } from './statements.ts';

/**
 * What the registry takes, so that nobody fills etcd with it. Root, through a node's control socket, is bound by the sizes,
 * not by the rates. What exists above a limit stays in force, and can be made smaller.
 */
export interface RegistryLimits {
  /** Changes of one user in a minute. */
  readonly changes: number;
  /** Bytes that one user's changes write into etcd in a minute. */
  readonly changeBytes: number;
  /** Bytes of the names and values of a definition's arguments. */
  readonly argumentBytes: number;
  /** Bytes of keys and values of one team's workers, services, directories, definitions and hits. */
  readonly teamBytes: number;
}

export const defaultLimits: RegistryLimits = {
  changes: 600,
  changeBytes: 4_194_304,
  argumentBytes: 16_384,
  teamBytes: 16_777_216,
};

/** Share of a minute's bytes for hits, in addition, so that a mount that counts does not block its user's changes. */
const shareOfHits = 0.25;

export interface BoundsOptions {
  readonly limits: RegistryLimits;
  /** Throws `etcd-nearly-full` while only firings should be written. `bytes`: about to be written. */
  readonly assertSpace: (bytes: number) => Promise<void>;
  /** Monotonic ms. */
  readonly now: () => number;
}

/**
 * What one process lets through to etcd. Sizes hold in the whole installation, because each broker compares them with
 * what etcd has. Rates are counted in each broker; what several of them let through together ends where etcd is nearly full.
 */
export class Bounds {
  readonly #options: BoundsOptions;
  readonly #changes: Budget;
  readonly #hits: Budget;

  constructor(options: BoundsOptions) {
    const { changes, changeBytes } = options.limits;
    this.#options = options;
    this.#changes = budgetOf(changes, changeBytes, options.now);
    this.#hits = budgetOf(changes, Math.ceil(changeBytes * shareOfHits), options.now);
  }

  get argumentBytes(): number {
    return this.#options.limits.argumentBytes;
  }

  /** Counts a change that is about to be tried. Throws `too-many-changes`, `etcd-nearly-full`. */
  async admit(actor: Actor, statement: Statement, writes: readonly Write[]): Promise<void> {
    const bytes = bytesOf(writes);
    if (actor.kind === 'user') spend(this.#changes, actor.identity, bytes);
    if (!isRelief(statement)) await this.#options.assertSpace(bytes);
  }

  /** Counts hits, which have a budget of their own: they are many and small. Throws as `admit` does. */
  async admitHits(actor: Actor, writes: readonly Write[]): Promise<void> {
    const bytes = bytesOf(writes);
    if (actor.kind === 'user') spend(this.#hits, actor.identity, bytes);
    await this.#options.assertSpace(bytes);
  }

  /** Throws `team-full` when the team would hold more than it may, unless the change frees space or ends rights. */
  assertTeamSpace(snapshot: Snapshot, team: string, statement: Statement, writes: readonly Write[]): void {
    if (isRelief(statement)) return;
    const growth = growthOf(snapshot, writes);
    const bytes = snapshot.teamBytes(team) + growth;
    const { teamBytes } = this.#options.limits;
    if (growth > 0 && bytes > teamBytes)
      throw new TriggerdError(
        'team-full',
        `${team} would use ${bytes} bytes of the registry; ${teamBytes} are allowed`,
      );
  }
}

/**
 * What each user may change in a minute. Users are counted by identity: neither another session nor another team gives a
 * new budget.
 */
interface Budget {
  readonly changes: TokenBuckets;
  readonly bytes: TokenBuckets;
}

const budgetOf = (changes: number, bytes: number, now: () => number): Budget => ({
  changes: new TokenBuckets({ burst: changes, perSecond: changes / 60 }, now),
  bytes: new TokenBuckets({ burst: bytes, perSecond: bytes / 60 }, now),
});

/**
 * Counts a change before it is tried: one that fails is counted, too. A change that is larger than what is left is made,
 * and the user waits until the debt is paid. Throws `too-many-changes`.
 */
const spend = (budget: Budget, identity: string, spent: number): void => {
  const changes = budget.changes.of(identity);
  const bytes = budget.bytes.of(identity);
  const retry_after_ms = Math.ceil(Math.max(changes.msUntil(1), bytes.msUntil(1)));
  if (retry_after_ms > 0) {
    const seconds = Math.ceil(retry_after_ms / 1_000);
    throw new TriggerdError('too-many-changes', `you reached the limit of changes; try again in ${seconds} s`, {
      details: { retry_after_ms },
    });
  }
  changes.spend(1);
  bytes.spend(spent);
};

/** What frees space, and what ends somebody's rights: nobody's flood stands in the way of these. */
const isRelief = ({ verb }: Statement): boolean => verb.endsWith('.delete') || relief.has(verb);

const relief: ReadonlySet<Statement['verb']> = new Set<Statement['verb']>([
  'team.remove',
  'team.decline',
  'user.set',
  'user.revoke',
  'worker.rotate',
  'service.detach',
]);

const growthOf = (snapshot: Snapshot, writes: readonly Write[]): number =>
  writes.reduce((sum, write) => {
    if ('put' in write) return sum + sizeOf(write.put, write.value) - snapshot.size(write.put);
    return 'delete' in write ? sum - snapshot.size(write.delete) : sum;
  }, 0);

const bytesOf = (writes: readonly Write[]): number =>
  writes.reduce((sum, write) => sum + ('put' in write ? sizeOf(write.put, write.value) : 0), 0);
