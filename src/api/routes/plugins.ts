import { asTriggerdError } from '../../domain/errors.ts';
import type { Plugin } from '../../plugin/manifest.ts';
import type { PluginView } from '../contract/plugins.ts';
import { get, post, type Route } from '../route.ts';
import { pluginQuery } from '../schemas.ts';
import type { ApiServices, PluginCatalogue } from '../services/services.ts';

/** A plugin as listed; one that cannot be used is shown with the problem instead of hiding the others. */
const pluginView = (catalogue: PluginCatalogue, name: string): PluginView => {
  try {
    return usablePluginView(catalogue.find(name), catalogue.isAllowed(name));
  } catch (thrown) {
    const problem = asTriggerdError(thrown).message;
    const none = { summary: '', mode: '', path: '', timeout_ms: null, noop: false, args: {} };
    return { name, ...none, allowed: catalogue.isAllowed(name), problem };
  }
};

const usablePluginView = (plugin: Plugin, allowed: boolean): PluginView => {
  const { summary, mode, timeout, noop, args } = plugin.manifest;
  return {
    name: plugin.name,
    summary,
    mode,
    path: plugin.executable,
    timeout_ms: timeout,
    noop,
    allowed,
    args,
    problem: null,
  };
};

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
