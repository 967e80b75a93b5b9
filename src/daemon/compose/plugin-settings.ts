import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgsStringToArgv } from 'string-argv';
import { createPluginFiles } from '../../adapters/files/plugin-files.ts';
import { readFirstError } from '../../adapters/puppet/first-error.ts';
import { createPuppetHost } from '../../adapters/puppet/puppet-host.ts';
import { baseEnvironment } from '../../adapters/system/base-env.ts';
import { type Config, defaultPluginsPath } from '../../config/schema.ts';
import { harmlessRefusal, type RequestPlugins, requestPlugins } from '../../config/workers.ts';
import type { Job } from '../../domain/job.ts';
import type { Log } from '../../kit/log.ts';
import { createLivePlugins, type LivePlugins, type PluginSettings } from '../../plugin/live-plugins.ts';
import { canonicalPluginName } from '../../plugin/plugin-name.ts';
import { createPlugins, type PluginCatalogue } from '../../plugin/plugins.ts';
import { unobservedRuns } from '../../plugin/puppet/command-line.ts';
import { createPuppetDriver } from '../../plugin/puppet/puppet-driver.ts';

export interface BuildPluginsOptions {
  readonly node: string;
  /** Where triggerd is installed; its own plugins are used when `[plugins] path` is not there. */
  readonly installRoot: string;
  /** The configuration file, absolute; null: there is none. */
  readonly configFile: string | null;
  /** The control socket, where it is another one than the file says. */
  readonly socket: string | null;
  /** Where plugins may keep something. */
  readonly stateFolder: string;
  contextOf(job: Job): string;
  proofOf(job: Job): string | undefined;
  readonly log: Log;
}

/** The plugins, as the configuration of the moment has them. */
export const buildPlugins = (options: BuildPluginsOptions, config: Config): LivePlugins<Config> => {
  const host = createPuppetHost({
    env: baseEnvironment(),
    onProblem: (problem) => options.log.warn({ error: problem }, 'Puppet’s settings or files are not used'),
  });
  const read = (settings: Config): PluginSettings => {
    const runCommand = parseArgsStringToArgv(settings.watch.run_cmd);
    tellUnlessUnderstood(runCommand, options.log);
    const catalogueIn = (folder: string): PluginCatalogue =>
      createPlugins({
        files: createPluginFiles(folder),
        puppetDriver: createPuppetDriver({
          host,
          node: options.node,
          runCommand,
          firstError: readFirstError,
        }),
        node: options.node,
        baseEnv: jobEnvironment(options, settings),
        stateFolder: options.stateFolder,
        graceMs: settings.jobs.grace,
        maxOutputBytes: settings.jobs.max_output,
        defaultTimeoutMs: settings.jobs.timeout ?? null,
        limits: {
          memoryBytes: settings.jobs.max_memory,
          processes: settings.jobs.max_processes,
          openFiles: settings.jobs.max_open_files,
          cpuMs: settings.jobs.max_cpu,
        },
        contextOf: options.contextOf,
        proofOf: options.proofOf,
        now: () => Date.now(),
      });
    const catalogue = catalogueIn(pluginsFolder(settings, options.installRoot));
    const { pluginspath } = settings.workers;
    const requestCatalogue = pluginspath === undefined ? catalogue : catalogueIn(resolve(pluginspath));
    const served = requestPlugins(settings);
    return {
      ...{ catalogue, requestCatalogue, runCommand },
      allow: settings.watch.allow,
      servesHarmlessOnly: served.kind === 'harmless',
      whyNotForRequests: requestFilter(served),
    };
  };
  return createLivePlugins(host, read, config);
};

/** Why a plugin of this canonical name may not be started; undefined: it may. */
const requestFilter = (served: RequestPlugins): ((name: string) => string | undefined) => {
  if (served.kind === 'folder') return () => undefined;
  const allowed = new Set(served.names.map(canonicalPluginName));
  return (name) => {
    if (allowed.has(name)) return undefined;
    return served.kind === 'list' ? 'it is not in its [workers] allow' : harmlessRefusal(name);
  };
};

const tellUnlessUnderstood = (runCommand: readonly string[], log: Log): void => {
  const blind = unobservedRuns(runCommand);
  if (blind !== null) log.warn({ remedy: blind.remedy }, blind.what);
};

/** So that a plugin finds Node.js where the machine has none, and that `trigger` in a job speaks to this daemon. */
const jobEnvironment = (
  { configFile, socket }: BuildPluginsOptions,
  { etcd }: Pick<Config, 'etcd'>,
): Readonly<Record<string, string>> => ({
  ...baseEnvironment(),
  // For plugins that must keep away from it: `host:port` and nothing else of the URLs.
  TRIGGERD_ETCD: etcd.endpoints.map((endpoint) => hostAndPort(new URL(endpoint))).join(' '),
  TRIGGERD_RUNTIME: process.execPath,
  ...(configFile === null ? {} : { TRIGGERD_CONFIG: configFile }),
  ...(socket === null ? {} : { TRIGGERD_SOCKET: socket }),
});

const hostAndPort = ({ protocol, hostname, port }: URL): string =>
  `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;

/** A checkout has its plugins beside it; a path that somebody has written down is what it says, also when nothing is there. */
const pluginsFolder = ({ plugins: { path } }: Config, installRoot: string): string =>
  path === defaultPluginsPath && !existsSync(path) ? join(installRoot, 'plugins') : path;
