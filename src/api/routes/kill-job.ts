import { jobParams } from '../schemas.ts';
import type { Verb } from '../verb.ts';
import { jobView } from '../views/jobs.ts';

export const killJob: Verb = (app, { queues }) => {
  app.post('/v1/jobs/:id/kill', { schema: { params: jobParams } }, async ({ params }) =>
    jobView(await queues.kill(params.id)),
  );
};
