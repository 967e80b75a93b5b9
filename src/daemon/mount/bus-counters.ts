import type { HitCounters } from '../../mount/delivery-ports.ts';
import { maxHitsAtOnce } from '../../registry/hits.ts';
import type { BusConnection } from './bus-connection.ts';

/** Hits of a mount without etcd: a broker writes them down. `counter` is of the journal that has counted them. */
export const createBusCounters = (connection: BusConnection, team: string, counter: string): HitCounters => ({
  publish: async (hits) => {
    const client = await connection.client();
    // The broker notes the time itself.
    const all = [...hits].map(([id, { count }]) => [id, count] as const);
    for (let at = 0; at < all.length; at += maxHitsAtOnce)
      await client.registry({
        verb: 'definition.count',
        ...{ team, counter, hits: Object.fromEntries(all.slice(at, at + maxHitsAtOnce)) },
      });
  },
});
