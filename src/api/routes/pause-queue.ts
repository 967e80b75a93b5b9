import { queueNamed } from '../queue-named.ts';
import { queueParams } from '../schemas.ts';
import type { Verb } from '../verb.ts';

export const pauseQueue: Verb = (app, { queues }) => {
  app.post('/v1/queues/:name/pause', { schema: { params: queueParams } }, async ({ params }) => {
    queues.pause(params.name);
    return queueNamed(queues, params.name);
  });
};
