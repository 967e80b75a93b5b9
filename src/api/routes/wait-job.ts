import { callerSignal, waitOrTimeOut } from '../abort.ts';
import { jobParams, waitQuery } from '../schemas.ts';
import type { Verb } from '../verb.ts';
import { jobView } from '../views/jobs.ts';

export const waitJob: Verb = (app, { queues }) => {
  const schema = { params: jobParams, querystring: waitQuery };
  app.get('/v1/jobs/:id/wait', { schema }, async ({ params, query }, reply) => {
    const signal = callerSignal(reply, query.timeout_ms);
    return jobView(await waitOrTimeOut(queues.waitFor(params.id, signal), signal, `the end of job ${params.id}`));
  });
};
