import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgsStringToArgv } from 'string-argv';
import { createPluginFiles } from '../../adapters/files/plugin-files.ts';
import { readFirstError } from '../../adapters/puppet/first-error.ts';
import { createPuppetHost } from '../../adapters/puppet/puppet-host.ts';
import { baseEnvironment } from '../../adapters/system/base-env.ts';
import { type Config, defaultPluginsPath } from '../../config/schema.ts';
import { harmlessRefusal, type RequestPlugins, requestPlugins } from '../../config/workers.ts';
import type { Firing } from '../../domain/firing.ts';
import type { Job, JobRequest } from '../../domain/job.ts';
import type { DecideJob } from '../../firings/ports.ts';
import type { Log } from '../../kit/log.ts';
import { createFiringJob } from '../../plugin/firing-job.ts';
import { canonicalPluginName } from '../../plugin/plugin-name.ts';
import { createPlugins, type PluginCatalogue } from '../../plugin/plugins.ts';
import type { PuppetHost } from '../../plugin/ports.ts';
import { blindSpot } from '../../plugin/puppet/command-line.ts';
import { createPuppetDriver } from '../../plugin/puppet/puppet-driver.ts';

export interface LivePluginsOptions {
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

/** The plugin rooms and the allow-lists, as the configuration of the moment has them: SIGHUP makes new ones. */
export interface LivePlugins extends PluginCatalogue {
  readonly puppetHost: PuppetHost;
  /** `[watch] run_cmd` in words. */
  runCommand(): readonly string[];
  configure(config: Config): void;
  decideJob(firing: Firing): ReturnType<DecideJob>;
  isAllowed(name: string): boolean;
  /** Why a request may not start this plugin; undefined: it may. Throws `plugin-name-invalid`. */
  whyNotForRequests(name: string): string | undefined;
  /** Whether the configuration says nothing about what requests may start. */
  servesHarmlessOnly(): boolean;
  /** Plugins of requests whose process does many jobs: no job of them has files of its own. */
  persistentForRequests(): readonly string[];
}

export const createLivePlugins = (options: LivePluginsOptions, config: Config): LivePlugins => {
  const host = createPuppetHost({
    env: baseEnvironment(),
    onProblem: (problem) => options.log.warn({ error: problem }, 'Puppet’s settings or files are not used'),
  });
  const build = (settings: Config) => {
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
    const allowed = new Set(settings.watch.allow.map(canonicalPluginName));
    const served = requestPlugins(settings);
    const whyNot = requestFilter(served);
    const decide = createFiringJob({ allow: settings.watch.allow });
    return { catalogue, requestCatalogue, allowed, whyNot, kind: served.kind, runCommand, decide };
  };
  let live = build(config);
  const catalogueFor = ({ source }: Pick<JobRequest, 'source'>): PluginCatalogue =>
    source === 'request' ? live.requestCatalogue : live.catalogue;
  return {
    puppetHost: host,
    runCommand: () => live.runCommand,
    configure: (settings) => {
      live = build(settings);
    },
    decideJob: (firing) => live.decide(firing),
    isAllowed: (name) => live.allowed.has(name),
    whyNotForRequests: (name) => live.whyNot(canonicalPluginName(name)),
    servesHarmlessOnly: () => live.kind === 'harmless',
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

/** Why a plugin of this canonical name may not be started; undefined: it may. */
const requestFilter = (served: RequestPlugins): ((name: string) => string | undefined) => {
  if (served.kind === 'folder') return () => undefined;
  const allowed = new Set(served.names.map(canonicalPluginName));
  return (name) => {
    if (allowed.has(name)) return undefined;
    return served.kind === 'list' ? 'it is not in its [workers] allow' : harmlessRefusal(name);
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

const tellUnlessUnderstood = (runCommand: readonly string[], log: Log): void => {
  const blind = blindSpot(runCommand);
  if (blind !== null) log.warn({ remedy: blind.remedy }, blind.what);
};

/** So that a plugin finds Node.js where the machine has none, and that `trigger` in a job speaks to this daemon. */
const jobEnvironment = (
  { configFile, socket }: LivePluginsOptions,
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
