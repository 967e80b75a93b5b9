import { BoundedMap } from '../../kit/bounded-map.ts';
import { inWindows } from '../../kit/in-windows.ts';
import type { Keyspace } from '../../store/keyspace.ts';
import { readable } from '../../store/readable.ts';
import { parseFiring } from '../wire/firing.ts';

const readsAtOnce = 32;
/** Beyond this many, what was learnt first is forgotten first. */
const maxKnown = 50_000;

/** When firings expire. They are immutable, so each is read once for as long as something of it is owed. */
export class FiringExpiries {
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
