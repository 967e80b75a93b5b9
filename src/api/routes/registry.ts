import * as v from 'valibot';
import type { Verb } from '../verb.ts';

const body = v.strictObject({ statement: v.unknown() });

/** Whoever may use the control socket may do everything: the registry is asked as `local`. It checks the statement itself. */
export const registry: Verb = (app, services) => {
  app.post('/v1/registry', { schema: { body } }, async ({ body }) =>
    services.registry.execute({ kind: 'local' }, body.statement),
  );
};
