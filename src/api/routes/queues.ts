import * as v from 'valibot';
import { TriggerdError } from '../../domain/errors.ts';
import type { Queues } from '../../queue/queues.ts';
import type { QueueSummary } from '../../queue/verbs/look.ts';
import type { TspView } from '../contract/jobs.ts';
import type { QueueView } from '../contract/queues.ts';
import { get, post, put, type Route, waitPatiently } from '../route.ts';
import { queueParams, slots, waitQuery } from '../schemas.ts';
import type { ApiServices } from '../services/services.ts';
import { jobView } from '../views/jobs.ts';

export const queueView = (queue: QueueSummary): QueueView => ({ ...queue });

/** The queue's present state. Throws `queue-not-found`. */
export const queueNamed = (queues: Queues, name: string): QueueView => {
  const found = queues.summary().find((queue) => queue.name === name);
  if (found === undefined) throw new TriggerdError('queue-not-found', `there is no queue “${name}”`);
  return queueView(found);
};

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
