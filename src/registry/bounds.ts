import { TriggerdError } from '../domain/errors.ts';
import type { Write } from '../store/key-store.ts';
import { Allowances } from './allowances.ts';
import type { RegistryLimits } from './limits.ts';
import type { Actor } from './rules/turn.ts';
import { type Snapshot, sizeOf } from './snapshot.ts';
import type { Statement } from './statements.ts';

/** Of a minute's bytes, what is for hits: besides, so that a mount that counts does not keep its user from changes. */
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
  readonly #changes: Allowances;
  readonly #hits: Allowances;

  constructor(options: BoundsOptions) {
    const { changes, changeBytes } = options.limits;
    this.#options = options;
    this.#changes = new Allowances({ changes, bytes: changeBytes }, options.now);
    this.#hits = new Allowances({ changes, bytes: Math.ceil(changeBytes * shareOfHits) }, options.now);
  }

  get argumentBytes(): number {
    return this.#options.limits.argumentBytes;
  }

  /** Counts a change that is about to be tried. Throws `too-many-changes`, `etcd-nearly-full`. */
  async admit(actor: Actor, statement: Statement, writes: readonly Write[]): Promise<void> {
    const bytes = bytesOf(writes);
    if (actor.kind === 'user') this.#changes.spend(actor.identity, { changes: 1, bytes });
    if (!isRelief(statement)) await this.#options.assertSpace(bytes);
  }

  /** The same for hits: they are many, small, and of a mount. */
  async admitHits(actor: Actor, writes: readonly Write[]): Promise<void> {
    const bytes = bytesOf(writes);
    if (actor.kind === 'user') this.#hits.spend(actor.identity, { changes: 1, bytes });
    await this.#options.assertSpace(bytes);
  }

  /** Throws `team-full` when the team would hold more than it may, unless the change frees room or is needed for safety. */
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

/** What frees room, and what ends somebody's rights: nobody's flood stands in the way of these. */
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
