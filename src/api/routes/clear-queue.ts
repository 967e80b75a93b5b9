import { queueParams } from '../schemas.ts';
import type { Verb } from '../verb.ts';

/** Forgets ended jobs; the name `*` means all queues. */
export const clearQueue: Verb = (app, { queues }) => {
  app.post('/v1/queues/:name/clear', { schema: { params: queueParams } }, async ({ params }) => ({
    cleared: queues.clear(params.name === '*' ? undefined : params.name),
  }));
};
