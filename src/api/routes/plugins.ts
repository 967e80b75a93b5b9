import { get, post, type Route } from '../route.ts';
import { pluginQuery } from '../schemas.ts';
import type { ApiServices } from '../services/services.ts';
import { pluginView, usablePluginView } from '../views/plugins.ts';

/** The plugins of this node. */
export const pluginRoutes = ({ plugins }: Pick<ApiServices, 'plugins'>): Route[] => [
  get('/v1/plugins', {}, () => plugins.names().map((name) => pluginView(plugins, name))),
  get('/v1/plugin', { query: pluginQuery }, ({ query }) => {
    const plugin = plugins.find(query.name);
    // The name may have come in its long form; the allow-list has the canonical one.
    return usablePluginView(plugin, plugins.isAllowed(plugin.name));
  }),
  post('/v1/plugin/test', { query: pluginQuery }, ({ query }) => plugins.test(query.name)),
];
