import { jobParams } from '../schemas.ts';
import type { Verb } from '../verb.ts';
import { jobView } from '../views.ts';

export const getJob: Verb = (app, { queues }) => {
  app.get('/v1/jobs/:id', { schema: { params: jobParams } }, async ({ params }) => jobView(queues.get(params.id)));
};
