import * as v from 'valibot';
import { maxSlots } from '../../domain/job.ts';
import { queueParams } from '../schemas.ts';
import type { Verb } from '../verb.ts';

const body = v.object({ slots: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(maxSlots)) });

export const queueSlots: Verb = (app, { queues }) => {
  app.get('/v1/queues/:name/slots', { schema: { params: queueParams } }, async ({ params }) => ({
    slots: queues.slots(params.name),
  }));
  app.put('/v1/queues/:name/slots', { schema: { params: queueParams, body } }, async ({ params, body }) => {
    queues.setSlots(params.name, body.slots);
    return { slots: queues.slots(params.name) };
  });
};
