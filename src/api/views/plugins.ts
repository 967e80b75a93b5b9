import { asTriggerdError } from '../../domain/errors.ts';
import type { Plugin } from '../../plugin/manifest.ts';
import type { PluginView } from '../contract/plugins.ts';
import type { PluginCatalogue } from '../services/services.ts';

/** A plugin as listed; one that cannot be used is shown with the problem instead of hiding the others. */
export const pluginView = (catalogue: PluginCatalogue, name: string): PluginView => {
  try {
    return usablePluginView(catalogue.find(name), catalogue.isAllowed(name));
  } catch (thrown) {
    const problem = asTriggerdError(thrown).message;
    const none = { summary: '', mode: '', path: '', timeout_ms: null, noop: false, args: {} };
    return { name, ...none, allowed: catalogue.isAllowed(name), problem };
  }
};

export const usablePluginView = (plugin: Plugin, allowed: boolean): PluginView => {
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
