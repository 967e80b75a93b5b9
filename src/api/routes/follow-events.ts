import { Readable } from 'node:stream';
import * as v from 'valibot';
import { TriggerdError } from '../../domain/errors.ts';
import type { Event } from '../../events/event.ts';
import { matches } from '../../events/event-filter.ts';
import { callerSignal } from '../abort.ts';
import { eventFilter, filterOf } from '../event-query.ts';
import type { Verb } from '../verb.ts';

/** Each may have 10,000 events waiting for him, and in the fleet a watch of his own in etcd. */
const maxFollowers = 32;

const cursor = v.pipe(v.string(), v.regex(/^\d{1,18}(\.\d{1,6})?$/, 'Expected an event’s id'));
const query = v.object({ ...eventFilter, after: v.optional(cursor) });

/** NDJSON: one event a line, until the caller hangs up. Refuses with `too-many-followers`. */
export const followEvents: Verb = (app, { events }) => {
  const followers = new Set<AbortSignal>();
  app.get('/v1/events/follow', { schema: { querystring: query } }, async ({ query }, reply) => {
    if (followers.size >= maxFollowers)
      throw new TriggerdError('too-many-followers', `${maxFollowers} follow the events of this daemon already`);
    const signal = callerSignal(reply);
    followers.add(signal);
    signal.addEventListener('abort', () => followers.delete(signal));
    const source = query.fleet === '1' ? events.fleet : events.here;
    const filter = filterOf(query);
    const wanted = (event: Event): boolean => matches(filter, event);
    const after = query.after ?? (await source.past({ limit: 0, since: 0 }, wanted)).cursor;
    const lines = linesOf(source.follow(after, wanted, signal));
    reply.type('application/x-ndjson').send(Readable.from(lines));
    // It may be long until something happens.
    reply.raw.flushHeaders();
    return reply;
  });
};

async function* linesOf(events: AsyncIterable<Event>): AsyncGenerator<string> {
  for await (const event of events) yield `${JSON.stringify(event)}\n`;
}
