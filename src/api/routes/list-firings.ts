import * as v from 'valibot';
import { digits } from '../schemas.ts';
import type { Verb } from '../verb.ts';
import { firingView } from '../views/firings.ts';

const query = v.object({ limit: v.optional(v.pipe(digits, v.maxValue(1000)), '20') });

export const listFirings: Verb = (app, { firings }) => {
  app.get('/v1/firings', { schema: { querystring: query } }, async ({ query }) =>
    (await firings.recent(query.limit)).map(firingView),
  );
};
