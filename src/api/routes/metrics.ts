import type { Verb } from '../verb.ts';

export const metrics: Verb = (app, { metrics }) => {
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
};
