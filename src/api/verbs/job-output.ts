import * as v from 'valibot';
import { callerSignal } from '../abort.ts';
import { digits, jobParams } from '../schemas.ts';
import type { Verb } from '../verb.ts';

const query = v.object({ follow: v.optional(v.picklist(['0', '1']), '0'), lines: v.optional(digits) });

export const jobOutput: Verb = (app, { queues, outputs }) => {
  const schema = { params: jobParams, querystring: query };
  app.get('/v1/jobs/:id/output', { schema }, async ({ params, query }, reply) => {
    const job = queues.get(params.id);
    const output = outputs.open(job, { follow: query.follow === '1', lines: query.lines }, callerSignal(reply));
    return reply.type('application/octet-stream').send(output);
  });
};
