import * as v from 'valibot';
import { maxSlots } from '../../domain/job.ts';
import type { TspView } from '../contract/jobs.ts';
import { queueNamed } from '../queue-named.ts';
import { queueParams } from '../schemas.ts';
import type { Verb } from '../verb.ts';
import { jobView } from '../views/jobs.ts';

const body = v.object({
  slots: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(maxSlots))),
});

const hiding = v.object({ number: v.pipe(v.number(), v.integer(), v.minValue(0)) });

/** A queue as `trigger tsp` sees it. */
export const tsp: Verb = (app, { queues }) => {
  const view = (name: string): TspView => {
    const { slots } = queueNamed(queues, name);
    const running = queues.list({ queue: name, states: ['running'] });
    const busy = running.reduce((sum, { request }) => sum + Math.min(request.slots ?? 1, slots), 0);
    return { slots, busy, jobs: queues.tsp.list(name).map(jobView) };
  };
  app.get('/v1/queues/:name/tsp', { schema: { params: queueParams } }, async ({ params }) => view(params.name));
  app.post('/v1/queues/:name/tsp/clear', { schema: { params: queueParams } }, async ({ params }) => {
    queues.tsp.clear(params.name);
    return view(params.name);
  });
  app.post('/v1/queues/:name/tsp/hide', { schema: { params: queueParams, body: hiding } }, async ({ params, body }) => {
    queues.tsp.hide(params.name, body.number);
    return view(params.name);
  });
  app.post('/v1/queues/:name/tsp/restart', { schema: { params: queueParams, body } }, async ({ params, body }) => {
    queues.tsp.restart(params.name, body.slots);
    return view(params.name);
  });
};
