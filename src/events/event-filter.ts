import type { Stage } from '../domain/outcome.ts';
import type { Event } from './event.ts';

/** What somebody wants to see; an empty list is everything. */
export interface EventFilter {
  readonly nodes: readonly string[];
  readonly triggers: readonly string[];
  readonly stages: readonly Stage[];
  /** Kinds (`job.finished`), or what they begin with (`job`). */
  readonly kinds: readonly string[];
}

/** A job's event matches the triggers of all firings that it names. What is about the following itself always matches. */
export const matches = (filter: EventFilter, event: Event): boolean => {
  if (event.kind === 'follow.gap' || event.kind === 'follow.dropped') return true;
  return (
    isAmong(filter.nodes, [event.node]) &&
    isAmong(filter.triggers, triggersOf(event)) &&
    isAmong(filter.stages, [event['stage']]) &&
    isAmong(filter.kinds, [event.kind, event.kind.slice(0, event.kind.indexOf('.'))])
  );
};

const isAmong = (wanted: readonly string[], found: readonly unknown[]): boolean =>
  wanted.length === 0 || found.some((each) => wanted.some((one) => one === each));

const triggersOf = ({ trigger, triggers }: Event): readonly unknown[] =>
  Array.isArray(triggers) ? triggers : [trigger];
