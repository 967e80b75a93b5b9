import { jobParams } from '../schemas.ts';
import type { Verb } from '../verb.ts';
import { jobView } from '../views/jobs.ts';

export const retryJob: Verb = (app, { queues }) => {
  app.post('/v1/jobs/:id/retry', { schema: { params: jobParams } }, async ({ params }) =>
    jobView(queues.retry(params.id)),
  );
};
