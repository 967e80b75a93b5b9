import { Readable } from 'node:stream';
import * as v from 'valibot';
import { TriggerdError } from '../../domain/errors.ts';
import type { Event } from '../../events/event.ts';
import { type EventFilter, matches } from '../../events/event-filter.ts';
import type { EventsView } from '../contract/events.ts';
import { get, type Route, streamOf } from '../route.ts';
import { digits, text, time } from '../schemas.ts';
import type { ApiServices } from '../services/services.ts';

/** Each may have 10,000 events waiting for him, and in the fleet a watch of his own in etcd. */
const maxFollowers = 32;

const one = text(255);
const repeatable = v.optional(
  v.pipe(
    v.union([v.pipe(v.array(one), v.maxLength(100)), one]),
    v.transform((value) => (typeof value === 'string' ? [value] : value)),
  ),
  [],
);
const stage = v.picklist(['owed', 'queued', 'running', 'deferred', 'finished', 'skipped']);

/** Which events; shared by the verbs that list and follow. */
const eventFilter = {
  fleet: v.optional(v.picklist(['0', '1']), '0'),
  node: repeatable,
  trigger: repeatable,
  stage: v.pipe(repeatable, v.array(stage)),
  kind: repeatable,
};

const cursor = v.pipe(v.string(), v.regex(/^\d{1,18}(\.\d{1,6})?$/, 'Expected an event’s id'));
const following = v.object({ ...eventFilter, after: v.optional(cursor) });
const past = v.object({
  ...eventFilter,
  limit: v.optional(v.pipe(digits, v.maxValue(10_000)), '100'),
  since: v.optional(time, '1970-01-01T00:00:00Z'),
});

/** What happened here and in the fleet, and what happens from now on. */
export const eventRoutes = ({ events }: Pick<ApiServices, 'events'>): Route[] => {
  const followers = new Set<AbortSignal>();
  return [
    get('/v1/events', { query: past }, async ({ query }): Promise<EventsView> => {
      const source = query.fleet === '1' ? events.fleet : events.here;
      const filter = filterOf(query);
      return source.past({ limit: query.limit, since: query.since }, (event) => matches(filter, event));
    }),
    // NDJSON: one event a line, until the caller hangs up. Refuses with `too-many-followers`.
    get('/v1/events/follow', { query: following }, async ({ query, hungUp }) => {
      if (followers.size >= maxFollowers)
        throw new TriggerdError('too-many-followers', `${maxFollowers} clients follow this daemon’s events already`);
      const signal = hungUp();
      followers.add(signal);
      signal.addEventListener('abort', () => followers.delete(signal));
      const source = query.fleet === '1' ? events.fleet : events.here;
      const filter = filterOf(query);
      const wanted = (event: Event): boolean => matches(filter, event);
      const after = query.after ?? (await source.past({ limit: 0, since: 0 }, wanted)).cursor;
      return streamOf('application/x-ndjson', Readable.from(linesOf(source.follow(after, wanted, signal))));
    }),
  ];
};

async function* linesOf(events: AsyncIterable<Event>): AsyncGenerator<string> {
  for await (const event of events) yield `${JSON.stringify(event)}\n`;
}

const filterOf = ({ node, trigger, stage, kind }: v.InferOutput<typeof following>): EventFilter => ({
  nodes: node,
  triggers: trigger,
  stages: stage,
  kinds: kind,
});
