import type { Event } from '../../events/event.ts';

export interface EventsView {
  /** The oldest first. */
  readonly events: readonly Event[];
  /** For `?after`: nothing of `events` comes again, and nothing is left out. */
  readonly cursor: string;
}
