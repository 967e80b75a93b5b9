import * as v from 'valibot';
import { callerSignal } from '../abort.ts';
import { outputFromHeader } from '../contract/jobs.ts';
import { digits, jobParams } from '../schemas.ts';
import type { Verb } from '../verb.ts';

const query = v.object({
  follow: v.optional(v.picklist(['0', '1']), '0'),
  lines: v.optional(digits),
  from: v.optional(digits),
  stream: v.optional(v.picklist(['out', 'err'])),
});

export const jobOutput: Verb = (app, { queues, outputs }) => {
  const schema = { params: jobParams, querystring: query };
  app.get('/v1/jobs/:id/output', { schema }, async ({ params, query: { follow, lines, from, stream } }, reply) => {
    const job = queues.get(params.id);
    const output = await outputs.open(job, { follow: follow === '1', lines, from, stream }, callerSignal(reply));
    reply.type('application/octet-stream').header(outputFromHeader, output.from).send(output.bytes);
    // The first byte may be long in coming, and whoever loses us until then must know where to go on.
    reply.raw.flushHeaders();
    return reply;
  });
};
