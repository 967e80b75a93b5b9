import type { IEvent, IWatchResponse } from 'etcd3';
import type { WatchBatch, WatchEvent } from '../../store/key-store.ts';
import { toEntry } from './ranges.ts';

/**
 * Puts fragmented watch responses together. etcd cuts a large response anywhere, also between two events of one
 * revision; a revision is handed on only when all of it is here. What is complete does not wait for the rest, so that a
 * large backlog is never held as a whole.
 */
export class Fragments {
  #held: WatchEvent[] = [];
  #delivered: bigint;

  /** `delivered`: the revision before the first one that is still needed. */
  constructor(delivered: bigint) {
    this.#delivered = delivered;
  }

  /** The complete part of what has arrived; undefined when this response completed nothing. */
  add(response: IWatchResponse): WatchBatch | undefined {
    const events = [...this.#held, ...response.events.map(toWatchEvent)].filter(
      (event) => revisionOf(event) > this.#delivered,
    );
    const open = response.fragment ? lastRevision(events) : undefined;
    const complete = events.filter((event) => revisionOf(event) !== open);
    this.#held = events.slice(complete.length);
    const revision = lastRevision(complete);
    if (revision === undefined) return undefined;
    this.#delivered = revision;
    return { events: complete, revision };
  }

  /** A response without events: everything up to the header's revision has been delivered. */
  progress(revision: bigint): WatchBatch | undefined {
    if (this.#held.length > 0 || revision <= this.#delivered) return undefined;
    this.#delivered = revision;
    return { events: [], revision };
  }
}

const revisionOf = (event: WatchEvent): bigint => (event.kind === 'put' ? event.entry.modRevision : event.modRevision);

const lastRevision = (events: readonly WatchEvent[]): bigint | undefined => {
  const last = events.at(-1);
  return last && revisionOf(last);
};

const toWatchEvent = ({ type, kv }: IEvent): WatchEvent =>
  type === 'Delete'
    ? { kind: 'delete', key: kv.key.toString('utf8'), modRevision: BigInt(kv.mod_revision) }
    : { kind: 'put', entry: toEntry(kv) };
