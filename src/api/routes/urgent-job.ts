import { jobParams } from '../schemas.ts';
import type { Verb } from '../verb.ts';
import { jobView } from '../views/jobs.ts';

export const urgentJob: Verb = (app, { queues }) => {
  app.post('/v1/jobs/:id/urgent', { schema: { params: jobParams } }, async ({ params }) =>
    jobView(queues.makeUrgent(params.id)),
  );
};
