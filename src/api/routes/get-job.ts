import { jobParams } from '../schemas.ts';
import type { Verb } from '../verb.ts';
import { jobView } from '../views/jobs.ts';

export const getJob: Verb = (app, { queues, pidOf }) => {
  app.get('/v1/jobs/:id', { schema: { params: jobParams } }, async ({ params }) => {
    const job = queues.get(params.id);
    return { ...jobView(job), pid: job.state === 'running' || job.state === 'finished' ? pidOf(job) : null };
  });
};
