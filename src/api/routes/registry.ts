import * as v from 'valibot';
import { answer, post, type Route } from '../route.ts';
import { text } from '../schemas.ts';
import type { ApiServices } from '../services/services.ts';

const first = v.strictObject({ team: text(255), identity: text(255), secret: text(4_096) });

const asking = v.strictObject({ statement: v.unknown() });

/** Teams, users, workers, services, triggers. Whoever may use the control socket may do everything: the registry is asked as `local`. */
export const registryRoutes = ({ registry }: Pick<ApiServices, 'registry'>): Route[] => [
  post('/v1/admin/init', { body: first }, async ({ body }) => answer(201, await registry.initialise(body))),
  // The registry checks the statement itself.
  post('/v1/registry', { body: asking }, ({ body }) => registry.execute({ kind: 'local' }, body.statement)),
];
