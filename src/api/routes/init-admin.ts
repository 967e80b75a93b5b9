import * as v from 'valibot';
import { text } from '../schemas.ts';
import type { Verb } from '../verb.ts';

const body = v.strictObject({ team: text(255), identity: text(255), secret: text(4_096) });

export const initAdmin: Verb = (app, services) => {
  app.post('/v1/admin/init', { schema: { body } }, async ({ body }, reply) =>
    reply.code(201).send(await services.registry.initialise(body)),
  );
};
