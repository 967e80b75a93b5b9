import type { FiringStatus, Firings } from '../../api/services/firings.ts';
import type { Firing } from '../../domain/firing.ts';
import type { EventLog } from '../../events/event-log.ts';
import { publishedEvent } from '../../events/firing-events.ts';
import { cancelFiring } from '../../firings/end/cancel-firing.ts';
import { followFiring } from '../../firings/follow/follow-firing.ts';
import { firingStatus, recentFirings } from '../../firings/follow/origin.ts';
import { publishFiring } from '../../firings/publish/publish.ts';
import type { Keyspace } from '../../store/keyspace.ts';
import { clock } from '../clock.ts';

/** So many firings' outcomes are read at a time for `trigger status`. */
const readersAtOnce = 32;

/** The API's firings, on etcd. */
export const createFiringsService = (keyspace: Keyspace, events: Pick<EventLog, 'tell'>): Firings => ({
  publish: async (firing) => {
    const { neverSeen } = await publishFiring(keyspace, firing);
    events.tell(publishedEvent(firing, clock.now()));
    return { unseen: neverSeen };
  },
  recent: async (limit) => {
    const firings = await recentFirings(keyspace, limit);
    const statuses: FiringStatus[] = [];
    for (let from = 0; from < firings.length; from += readersAtOnce)
      statuses.push(
        ...(await Promise.all(firings.slice(from, from + readersAtOnce).map((each) => statusOf(keyspace, each)))),
      );
    return statuses;
  },
  status: (id) => firingStatus(keyspace, id),
  follow: (id, signal) => followFiring(keyspace, id, signal),
  cancel: (id, asked) => cancelFiring(keyspace, id, { ...asked, at: clock.now() }),
});

const statusOf = (keyspace: Keyspace, firing: Firing): Promise<FiringStatus> => firingStatus(keyspace, firing.id);
