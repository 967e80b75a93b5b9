import { queueNamed } from '../queue-named.ts';
import { queueParams } from '../schemas.ts';
import type { Verb } from '../verb.ts';

export const resumeQueue: Verb = (app, { queues }) => {
  app.post('/v1/queues/:name/resume', { schema: { params: queueParams } }, async ({ params }) => {
    queues.resume(params.name);
    return queueNamed(queues, params.name);
  });
};
