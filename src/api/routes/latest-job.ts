import * as v from 'valibot';
import { TriggerdError } from '../../domain/errors.ts';
import type { ListedJob } from '../../domain/job.ts';
import type { Queues } from '../../queue/queues.ts';
import { queueNamed } from '../queue-named.ts';
import { text } from '../schemas.ts';
import type { Verb } from '../verb.ts';
import { jobView } from '../views/jobs.ts';

/** The job that a verb means when none is named. */
const finders = {
  added: (queues: Queues, queue: string) => queues.list({ queue, limit: 1, newestFirst: true }).at(0),
  queued: (queues: Queues, queue: string) =>
    queues.list({ queue, limit: 1, newestFirst: true, states: ['queued'] }).at(0),
  /** The one that runs, else the one that ran last: never one that was skipped. */
  started: (queues: Queues, queue: string) =>
    queues.list({ queue, states: ['running'] }).at(-1) ??
    queues.list({ queue, states: ['finished'], endedLimit: 1 }).at(0),
} as const satisfies Record<string, (queues: Queues, queue: string) => ListedJob | undefined>;

const query = v.object({
  queue: v.optional(text(64), 'default'),
  which: v.picklist(['added', 'queued', 'started']),
});

export const latestJob: Verb = (app, { queues }) => {
  app.get('/v1/jobs/latest', { schema: { querystring: query } }, async ({ query: { queue, which } }) => {
    queueNamed(queues, queue);
    const job = finders[which](queues, queue);
    if (job === undefined) throw new TriggerdError('job-not-found', `no job was named, and ${missing[which]}`);
    return jobView(job);
  });
};

const missing = {
  added: 'the queue has none',
  queued: 'none is queued',
  started: 'none has run yet',
} as const;
