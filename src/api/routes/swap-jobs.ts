import * as v from 'valibot';
import { positiveInteger } from '../schemas.ts';
import type { Verb } from '../verb.ts';
import { jobView } from '../views/jobs.ts';

const body = v.strictObject({ a: positiveInteger, b: positiveInteger });

export const swapJobs: Verb = (app, { queues }) => {
  app.post('/v1/jobs/swap', { schema: { body } }, async ({ body: { a, b } }) => {
    queues.swap(a, b);
    return [jobView(queues.get(a)), jobView(queues.get(b))];
  });
};
