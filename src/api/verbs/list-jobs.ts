import * as v from 'valibot';
import { digits, text } from '../schemas.ts';
import type { Verb } from '../verb.ts';
import { jobView } from '../views.ts';

const defaultEnded = 100;
const query = v.object({
  queue: v.optional(text(64)),
  /** How many ended jobs are listed, newest; `all` for every one that is kept. */
  ended: v.optional(v.union([v.literal('all'), digits])),
});

export const listJobs: Verb = (app, { queues }) => {
  app.get('/v1/jobs', { schema: { querystring: query } }, async ({ query }) => {
    const endedLimit = query.ended === 'all' ? {} : { endedLimit: query.ended ?? defaultEnded };
    return queues.list({ ...endedLimit, ...(query.queue === undefined ? {} : { queue: query.queue }) }).map(jobView);
  });
};
