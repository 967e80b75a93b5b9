import { jobParams } from '../schemas.ts';
import type { Verb } from '../verb.ts';
import { jobView } from '../views/jobs.ts';

export const removeJob: Verb = (app, { queues }) => {
  app.post('/v1/jobs/:id/remove', { schema: { params: jobParams } }, async ({ params }) =>
    jobView(queues.remove(params.id)),
  );
};
