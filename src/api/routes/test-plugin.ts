import { pluginQuery } from '../schemas.ts';
import type { Verb } from '../verb.ts';

export const testPlugin: Verb = (app, { plugins }) => {
  app.post('/v1/plugin/test', { schema: { querystring: pluginQuery } }, async ({ query }) => plugins.test(query.name));
};
