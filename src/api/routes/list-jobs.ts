import * as v from 'valibot';
import { queueNamed } from '../queue-named.ts';
import { digits, text } from '../schemas.ts';
import type { Verb } from '../verb.ts';
import { jobView } from '../views/jobs.ts';

/** One answer holds no more jobs of a kind than this: the daemon builds it in memory, and does nothing else meanwhile. */
const most = 1000;
const number = v.pipe(digits, v.maxValue(most));
const state = v.picklist(['queued', 'running', 'finished', 'skipped']);

const query = v.object({
  queue: v.optional(text(64)),
  ended: v.optional(number, '100'),
  queued: v.optional(number, String(most)),
  command: v.optional(v.pipe(digits, v.maxValue(4096)), '4096'),
  limit: v.optional(v.pipe(number, v.minValue(1))),
  after: v.optional(digits),
  state: v.optional(
    v.pipe(
      text(64),
      v.transform((list) => list.split(',')),
      v.array(state),
    ),
  ),
});

export const listJobs: Verb = (app, { queues }) => {
  app.get('/v1/jobs', { schema: { querystring: query } }, async ({ query }) => {
    const { queue, ended, queued, command, limit, after, state } = query;
    if (queue !== undefined) queueNamed(queues, queue);
    const which = limit === undefined ? { endedLimit: ended, queuedLimit: queued } : { limit };
    return queues
      .list({
        ...which,
        commandLength: command,
        ...(queue === undefined ? {} : { queue }),
        ...(after === undefined ? {} : { afterId: after }),
        ...(state === undefined ? {} : { states: state }),
      })
      .map(jobView);
  });
};
