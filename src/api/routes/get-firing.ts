import { firingParams } from '../schemas.ts';
import type { Verb } from '../verb.ts';
import { firingView } from '../views/firings.ts';

export const getFiring: Verb = (app, { firings }) => {
  app.get('/v1/firings/:id', { schema: { params: firingParams } }, async ({ params }) =>
    firingView(await firings.status(params.id)),
  );
};
