import { asTriggerdError } from '../domain/errors.ts';
import type { Firing } from '../domain/firing.ts';
import { type JobRequest, plainRequest } from '../domain/job.ts';
import { canonicalPluginName } from './plugin-name.ts';

export interface FiringJobOptions {
  /** `[watch] allow`: plugins that a firing may start on this node. */
  readonly allow: readonly string[];
}

/**
 * What a firing starts on this node. The node decides, not the firing: only plugins of the allow-list, and a firing that
 * names none gets this node's own `run_cmd` (plugin `puppet`). A refusal is a text for the outcome. Whether the plugin is
 * there and can run this is not asked here.
 */
export const createFiringJob = (options: FiringJobOptions) => {
  const allowed = new Set(options.allow.map(canonicalPluginName));
  return (firing: Firing): { readonly request: JobRequest } | { readonly refusal: string } => {
    try {
      const plugin = canonicalPluginName(firing.job.plugin ?? 'puppet');
      if (!allowed.has(plugin)) return { refusal: `plugin ${plugin} is not in [watch] allow on this node` };
      return { request: requestOf(firing, plugin) };
    } catch (thrown) {
      const error = asTriggerdError(thrown);
      return { refusal: `${error.code}: ${error.message}` };
    }
  };
};

const requestOf = (firing: Firing, plugin: string): JobRequest => ({
  ...plainRequest,
  plugin,
  args: firing.job.args,
  noop: firing.noop,
  source: 'firing',
});
