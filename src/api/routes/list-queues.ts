import type { Verb } from '../verb.ts';
import { queueView } from '../views/queues.ts';

export const listQueues: Verb = (app, { queues }) => {
  app.get('/v1/queues', async () => queues.summary().map(queueView));
};
