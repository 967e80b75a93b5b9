import { pluginQuery } from '../schemas.ts';
import type { Verb } from '../verb.ts';
import { usablePluginView } from '../views.ts';

export const getPlugin: Verb = (app, { plugins }) => {
  app.get('/v1/plugin', { schema: { querystring: pluginQuery } }, async ({ query }) =>
    usablePluginView(plugins.find(query.name), plugins.isAllowed(query.name)),
  );
};
