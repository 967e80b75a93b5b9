import { Readable } from 'node:stream';
import { callerSignal } from '../abort.ts';
import { firingParams } from '../schemas.ts';
import type { Firings } from '../services/firings.ts';
import type { Verb } from '../verb.ts';
import { outcomeView } from '../views/firings.ts';

/** NDJSON: one outcome a line. An unknown firing is refused before the stream begins. */
export const followFiring: Verb = (app, { firings }) => {
  app.get('/v1/firings/:id/follow', { schema: { params: firingParams } }, async ({ params }, reply) => {
    await firings.status(params.id);
    const lines = Readable.from(outcomeLines(firings, params.id, callerSignal(reply)));
    return reply.type('application/x-ndjson').send(lines);
  });
};

async function* outcomeLines(firings: Firings, id: string, signal: AbortSignal): AsyncGenerator<string> {
  for await (const outcome of firings.follow(id, signal)) yield `${JSON.stringify(outcomeView(outcome))}\n`;
}
