import * as v from 'valibot';
import { matches } from '../../events/event-filter.ts';
import type { EventsView } from '../contract/events.ts';
import { eventFilter, filterOf } from '../event-query.ts';
import { digits, time } from '../schemas.ts';
import type { Verb } from '../verb.ts';

const query = v.object({
  ...eventFilter,
  limit: v.optional(v.pipe(digits, v.maxValue(10_000)), '100'),
  since: v.optional(time, '1970-01-01T00:00:00Z'),
});

export const listEvents: Verb = (app, { events }) => {
  app.get('/v1/events', { schema: { querystring: query } }, async ({ query }): Promise<EventsView> => {
    const source = query.fleet === '1' ? events.fleet : events.here;
    const filter = filterOf(query);
    return source.past({ limit: query.limit, since: query.since }, (event) => matches(filter, event));
  });
};
