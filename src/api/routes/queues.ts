import * as v from 'valibot';
import { waitPatiently } from '../patience.ts';
import { get, post, put, type Route } from '../route.ts';
import { queueParams, slots, waitQuery } from '../schemas.ts';
import type { ApiServices } from '../services/services.ts';
import { queueNamed, queueView } from '../views/queues.ts';

/** Queues: what they hold, and what they may start. */
export const queueRoutes = ({ queues }: Pick<ApiServices, 'queues'>): Route[] => [
  get('/v1/queues', {}, () => queues.summary().map(queueView)),
  ...(['pause', 'resume'] as const).map((verb) =>
    post(`/v1/queues/:name/${verb}`, { params: queueParams }, ({ params }) => {
      queues[verb](params.name);
      return queueNamed(queues, params.name);
    }),
  ),
  // Forgets ended jobs; the name `*` means all queues.
  post('/v1/queues/:name/clear', { params: queueParams }, ({ params }) => ({
    cleared: queues.clear(params.name === '*' ? undefined : params.name),
  })),
  post('/v1/queues/:name/drain', { params: queueParams, query: waitQuery }, async ({ params, query, hungUp }) => {
    const drain = (signal: AbortSignal) => queues.drain(params.name, signal);
    await waitPatiently(drain, `draining queue ${params.name}`, hungUp(), query.timeout_ms);
    return queueNamed(queues, params.name);
  }),
  get('/v1/queues/:name/slots', { params: queueParams }, ({ params }) => ({ slots: queues.slots(params.name) })),
  put('/v1/queues/:name/slots', { params: queueParams, body: v.object({ slots }) }, ({ params, body }) => {
    queues.setSlots(params.name, body.slots);
    return { slots: queues.slots(params.name) };
  }),
];
