import * as v from 'valibot';
import { get, type Route } from '../route.ts';
import { text } from '../schemas.ts';
import type { ApiServices } from '../services/services.ts';
import { whyView } from '../why-view.ts';

const query = v.object({ what: v.pipe(text(255), v.minLength(1)) });

export const whyRoutes = (services: Pick<ApiServices, 'why'>): Route[] => [
  get('/v1/why', { query }, async ({ query }) => whyView(await services.why(query.what))),
];
