import * as v from 'valibot';
import type { TspView } from '../contract/jobs.ts';
import { get, post, type Route } from '../route.ts';
import { queueParams, slots } from '../schemas.ts';
import type { ApiServices } from '../services/services.ts';
import { jobView } from '../views/jobs.ts';
import { queueNamed } from '../views/queues.ts';

const hiding = v.object({ number: v.pipe(v.number(), v.integer(), v.minValue(0)) });
const restarting = v.object({ slots: v.optional(slots) });

/** A queue as `trigger tsp` sees it. */
export const tspRoutes = ({ queues }: Pick<ApiServices, 'queues'>): Route[] => {
  const view = (name: string): TspView => {
    const { slots } = queueNamed(queues, name);
    const running = queues.list({ queue: name, states: ['running'] });
    const busy = running.reduce((sum, { request }) => sum + Math.min(request.slots ?? 1, slots), 0);
    return { slots, busy, jobs: queues.tsp.list(name).map(jobView) };
  };
  return [
    get('/v1/queues/:name/tsp', { params: queueParams }, ({ params }) => view(params.name)),
    post('/v1/queues/:name/tsp/clear', { params: queueParams }, ({ params }) => {
      queues.tsp.clear(params.name);
      return view(params.name);
    }),
    post('/v1/queues/:name/tsp/hide', { params: queueParams, body: hiding }, ({ params, body }) => {
      queues.tsp.hide(params.name, body.number);
      return view(params.name);
    }),
    post('/v1/queues/:name/tsp/restart', { params: queueParams, body: restarting }, ({ params, body }) => {
      queues.tsp.restart(params.name, body.slots);
      return view(params.name);
    }),
  ];
};
