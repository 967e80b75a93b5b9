import type { Event } from './event.ts';

/** Where the past of this node's events is kept: bounded, and not as safe as the journal. */
export interface EventStore {
  /** Appends events in the order of their IDs. */
  append(events: readonly Event[]): Promise<void>;
  /** Everything that is kept, the oldest first. */
  read(): Promise<Event[]>;
}

/** Whether a reader wants this event. */
export type Wanted = (event: Event) => boolean;

export interface PastQuery {
  /** The newest so many. */
  readonly limit: number;
  /** ms since the epoch: nothing older. */
  readonly since: number;
}

export interface Past {
  readonly events: readonly Event[];
  /** Follow from here on: nothing in `events` comes again, and nothing is left out. */
  readonly cursor: string;
}

/** Events to look back at and to follow. */
export interface EventSource {
  past(query: PastQuery, wanted: Wanted): Promise<Past>;
  /**
   * What happens after `cursor` (an event's id, or that of a `past`), until `signal` aborts. A reader that falls too far
   * behind gets `follow.dropped` as the last event.
   */
  follow(cursor: string, wanted: Wanted, signal: AbortSignal): AsyncIterable<Event>;
}
