import { pluginQuery } from '../schemas.ts';
import type { Verb } from '../verb.ts';
import { usablePluginView } from '../views/plugins.ts';

export const getPlugin: Verb = (app, { plugins }) => {
  app.get('/v1/plugin', { schema: { querystring: pluginQuery } }, async ({ query }) => {
    const plugin = plugins.find(query.name);
    // The name may have come in its long form; the allow-list has the canonical one.
    return usablePluginView(plugin, plugins.isAllowed(plugin.name));
  });
};
