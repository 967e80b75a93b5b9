import { callerSignal, waitOrTimeOut } from '../abort.ts';
import { queueNamed } from '../queue-named.ts';
import { queueParams, waitQuery } from '../schemas.ts';
import type { Verb } from '../verb.ts';

export const drainQueue: Verb = (app, { queues }) => {
  const schema = { params: queueParams, querystring: waitQuery };
  app.post('/v1/queues/:name/drain', { schema }, async ({ params, query }, reply) => {
    const signal = callerSignal(reply, query.timeout_ms);
    await waitOrTimeOut(queues.drain(params.name, signal), signal, `draining queue ${params.name}`);
    return queueNamed(queues, params.name);
  });
};
