import { asTriggerdError } from '../domain/errors.ts';
import type { Firing } from '../domain/firing.ts';
import { type JobRequest, plainRequest } from '../domain/job.ts';
import { canonicalPluginName } from './plugin-name.ts';
import type { PluginCatalogue } from './plugins.ts';
import type { PuppetHost } from './ports.ts';

/** What one configuration says of plugins. */
export interface PluginSettings {
  readonly catalogue: PluginCatalogue;
  /** For requests; another one where `[workers] pluginspath` is set. */
  readonly requestCatalogue: PluginCatalogue;
  /** `[watch] allow`. */
  readonly allow: readonly string[];
  /** `[watch] run_cmd` in words. */
  readonly runCommand: readonly string[];
  /** Whether the configuration says nothing about what requests may start. */
  readonly servesHarmlessOnly: boolean;
  /** Why a request may not start a plugin of this canonical name; undefined: it may. */
  readonly whyNotForRequests: (name: string) => string | undefined;
}

/** The plugins and the allow-lists, as the configuration of the moment has them: SIGHUP makes new ones. */
export interface LivePlugins<Config> extends PluginCatalogue {
  readonly puppetHost: PuppetHost;
  /** `[watch] run_cmd` in words. */
  runCommand(): readonly string[];
  configure(config: Config): void;
  /** What a firing may start here. */
  readonly decideJob: ReturnType<typeof createFiringJob>;
  isAllowed(name: string): boolean;
  /** Why a request may not start this plugin; undefined: it may. Throws `plugin-name-invalid`. */
  whyNotForRequests(name: string): string | undefined;
  /** Whether the configuration says nothing about what requests may start. */
  servesHarmlessOnly(): boolean;
  /** Plugins of requests whose process does many jobs: no job of them has files of its own. */
  persistentForRequests(): readonly string[];
}

/** `read` makes the settings of a configuration: at once, and with every `configure`. */
export const createLivePlugins = <Config>(
  puppetHost: PuppetHost,
  read: (config: Config) => PluginSettings,
  config: Config,
): LivePlugins<Config> => {
  const build = (now: Config) => {
    const settings = read(now);
    const { allow } = settings;
    return { ...settings, allowed: new Set(allow.map(canonicalPluginName)), decide: createFiringJob({ allow }) };
  };
  let live = build(config);
  const catalogueFor = ({ source }: Pick<JobRequest, 'source'>): PluginCatalogue =>
    source === 'request' ? live.requestCatalogue : live.catalogue;
  return {
    puppetHost,
    runCommand: () => live.runCommand,
    configure: (settings) => {
      live = build(settings);
    },
    decideJob: (firing) => live.decide(firing),
    isAllowed: (name) => live.allowed.has(name),
    whyNotForRequests: (name) => live.whyNotForRequests(canonicalPluginName(name)),
    servesHarmlessOnly: () => live.servesHarmlessOnly,
    persistentForRequests: () =>
      live.requestCatalogue.names().filter((name) => isPersistent(live.requestCatalogue, name)),
    find: (name) => live.catalogue.find(name),
    names: () => live.catalogue.names(),
    check: (request) => catalogueFor(request).check(request),
    settled: (request) => catalogueFor(request).settled(request),
    obstacle: (job) => catalogueFor(job.request).obstacle(job),
    prepare: (job) => catalogueFor(job.request).prepare(job),
    checkCall: (request) => catalogueFor(request).checkCall(request),
    call: (job) => catalogueFor(job.request).call(job),
    isRerunAfterLoss: (job) => catalogueFor(job.request).isRerunAfterLoss(job),
    conclude: (job, ending) => catalogueFor(job.request).conclude(job, ending),
  };
};

/** One that cannot be read starts no job. */
const isPersistent = (catalogue: PluginCatalogue, name: string): boolean => {
  try {
    return catalogue.find(name).manifest.mode === 'persistent';
  } catch {
    return false;
  }
};

interface FiringJobOptions {
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
