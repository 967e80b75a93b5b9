import * as v from 'valibot';
import { text } from '../schemas.ts';
import type { Verb } from '../verb.ts';
import { whyView } from '../why-view.ts';

const query = v.object({ what: v.pipe(text(255), v.minLength(1)) });

export const why: Verb = (app, services) => {
  app.get('/v1/why', { schema: { querystring: query } }, async ({ query }) => whyView(await services.why(query.what)));
};
