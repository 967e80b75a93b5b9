import { BoundedMap } from '../../kit/bounded-map.ts';
import { chunksOf, inWindows } from '../../kit/in-windows.ts';
import { readable } from '../../store/document.ts';
import type { Entry } from '../../store/key-store.ts';
import type { Keyspace } from '../../store/keys.ts';
import { type Debt, debtOf, endOwed } from '../end/end-owed.ts';
import { parseFiring } from '../wire/firing.ts';
import { Observed, type RoundOptions, type Swept, Walk } from './part.ts';

const pageSize = 1_000;
const pagesPerRound = 20;
const entriesAtOnce = 100;

/**
 * Everything that is owed to anybody. Three kinds of entries: its firing is *alive*, and nothing happens; it has
 * *expired*, and the debt ends with that outcome, unless the node runs it just now; there is *no firing*: then a
 * publisher is still writing, or never came back. The latter is an *orphan*, which goes when it has been one for long
 * enough, and only while neither a marker nor a firing is there.
 */
export class InboxSweep {
  readonly #options: RoundOptions;
  readonly #expiries: FiringExpiries;
  readonly #observed = new Observed();
  readonly #walk: Walk;

  constructor(options: RoundOptions) {
    this.#options = options;
    this.#expiries = new FiringExpiries(options);
    this.#walk = new Walk(options.store, options.keys.allInboxes, pageSize);
  }

  async sweep(): Promise<Swept> {
    const did = { expired: 0, orphans: 0 };
    for (let page = 0; page < pagesPerRound; page++) {
      const { entries, atEnd } = await this.#walk.next();
      const { expired, orphans } = await this.#sort(entries);
      did.expired += await this.#expire(expired);
      did.orphans += await this.#deleteOrphans(orphans);
      if (!atEnd) continue;
      this.#observed.endPass();
      return { did, isComplete: true };
    }
    return { did, isComplete: false };
  }

  async #sort(entries: readonly Entry[]): Promise<{ expired: Debt[]; orphans: Debt[] }> {
    const { keys, clock, abandonedMs } = this.#options;
    const debts = entries.flatMap((entry) => {
      const debt = debtOf(keys, entry.key);
      return debt === undefined ? [] : [{ debt, entry }];
    });
    const expiries = await this.#expiries.of(debts.map(({ debt }) => debt.firing));
    const now = clock.now();
    const expired: Debt[] = [];
    const orphans: Debt[] = [];
    for (const { debt, entry } of debts) {
      const expiresAt = expiries.get(debt.firing);
      if (expiresAt === undefined) {
        if (this.#observed.see(entry.key, entry.modRevision) >= abandonedMs) orphans.push(debt);
      } else if (expiresAt <= now) expired.push(debt);
    }
    return { expired, orphans };
  }

  async #expire(debts: readonly Debt[]): Promise<number> {
    if (debts.length === 0) return 0;
    const { election, clock } = this.#options;
    const ended = await endOwed(this.#options, debts, { reason: 'expired', at: clock.now(), fence: election.fence });
    return ended.filter(({ kind }) => kind === 'ended').length;
  }

  async #deleteOrphans(debts: readonly Debt[]): Promise<number> {
    let deleted = 0;
    for (const firing of new Set(debts.map((debt) => debt.firing))) {
      const ofFiring = debts.filter((debt) => debt.firing === firing);
      for (const chunk of chunksOf(ofFiring, entriesAtOnce))
        if (await this.#deleteChunk(firing, chunk)) deleted += chunk.length;
    }
    return deleted;
  }

  #deleteChunk(firing: string, debts: readonly Debt[]): Promise<boolean> {
    const { election, keys } = this.#options;
    return election.commit({
      compare: [
        { key: keys.firing(firing), is: 'absent' },
        { key: keys.publishing(firing), is: 'absent' },
      ],
      write: debts.map(({ node }) => ({ delete: keys.inbox(node, firing) })),
    });
  }
}

const readsAtOnce = 32;
/** Beyond this many, what was learnt first is forgotten first. */
const maxKnown = 50_000;

/** When firings expire. They are immutable, so each is read once for as long as something of it is owed. */
class FiringExpiries {
  readonly #keyspace: Keyspace;
  readonly #known = new BoundedMap<string, number>(maxKnown);

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  /** ms since the epoch; infinity for never. What has no firing is missing from the answer. */
  async of(ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const unknown = [...new Set(ids)].filter((id) => !this.#known.has(id));
    const read = await inWindows(unknown, async (id) => [id, await this.#read(id)] as const, readsAtOnce);
    for (const [id, expiresAt] of read) if (expiresAt !== undefined) this.#known.set(id, expiresAt);
    return new Map(
      ids.flatMap((id) => {
        const expiresAt = this.#known.get(id);
        return expiresAt === undefined ? [] : [[id, expiresAt]];
      }),
    );
  }

  async #read(id: string): Promise<number | undefined> {
    const entry = await this.#keyspace.store.get(this.#keyspace.keys.firing(id));
    if (entry === undefined) return undefined;
    // What nobody can read, its targets refuse.
    const [firing] = readable(parseFiring, entry);
    return firing?.expiresAt ? Date.parse(firing.expiresAt) : Number.POSITIVE_INFINITY;
  }
}
