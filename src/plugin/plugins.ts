import type { Job, JobRequest } from '../domain/job.ts';
import type { Conclusion, Plugins } from '../queue/ports/plugins.ts';
import type { JobLimits, LaunchPlan, LeftoversRule, PersistentCall, RunExit, RunTerms } from '../queue/ports/runner.ts';
import { argumentVariable } from './argument-rule.ts';
import { resolveArguments } from './arguments.ts';
import { concludeFromExit, type Driver } from './drivers.ts';
import { commandDriver, execDriver } from './exec-driver.ts';
import { createManifestReader, type Plugin } from './manifest.ts';
import { callOf, createPrograms } from './persistent/programs.ts';
import { canonicalPluginName } from './plugin-name.ts';
import type { PluginFiles } from './ports.ts';

export interface PluginsOptions {
  readonly files: PluginFiles;
  readonly puppetDriver: Driver;
  readonly node: string;
  /** Environment that every job starts with: PATH, HOME, LANG, USER, and where triggerd's own Node.js and configuration are. */
  readonly baseEnv: Readonly<Record<string, string>>;
  /** Each plugin may have a folder in here for what it keeps; it makes that itself. */
  readonly stateFolder: string;
  readonly graceMs: number;
  readonly maxOutputBytes: number;
  /** Timeout where neither job nor plugin names one; null: no limit. */
  readonly defaultTimeoutMs: number | null;
  /** Limits of plugins that name none. */
  readonly limits: JobLimits;
  /** The document that `TRIGGERD_CONTEXT` names: job, firings and their chains. */
  contextOf(job: Job): string;
  /** The proof with which the job of a request can send requests. */
  proofOf(job: Job): string | undefined;
  now(): number;
}

/** Plugins for the queue, and their look-up for the API and the allow-list. */
export interface PluginCatalogue extends Plugins {
  /** Throws `plugin-name-invalid`, `plugin-not-found`, `plugin-unsafe`, `plugin-manifest`. */
  find(name: string): Plugin;
  names(): string[];
}

export const createPlugins = (options: PluginsOptions): PluginCatalogue => {
  const drivers: Record<Plugin['manifest']['driver'], Driver> = {
    exec: execDriver,
    command: commandDriver,
    puppet: options.puppetDriver,
  };
  const read = createManifestReader();
  const find = (name: string): Plugin => read(options.files.find(canonicalPluginName(name)));
  const programs = createPrograms({
    find,
    settings: (plugin) => ({
      env: {
        ...options.baseEnv,
        TRIGGERD_NODE: options.node,
        TRIGGERD_STATE: stateFolderOf(options, plugin),
        TRIGGERD_ACTS_AS: plugin.manifest.acts_as,
      },
      limits: limitsOf(options, plugin),
      graceMs: options.graceMs,
    }),
    now: options.now,
  });
  const callTo = (plugin: Plugin, job: Job): PersistentCall =>
    callOf(job, {
      program: programs.of(plugin),
      args: resolveArguments(plugin, job.request.args),
      context: options.contextOf(job),
      timeoutMs: timeoutOf(options, plugin, job),
      maxOutputBytes: options.maxOutputBytes,
      terms: termsOf(plugin, [plugin.executable]),
    });
  const driverOf = (plugin: Plugin): Driver => drivers[plugin.manifest.driver];
  const presentTerms = (job: Job): RunTerms => {
    try {
      const plugin = find(job.request.plugin);
      return termsOf(plugin, driverOf(plugin).argv(plugin, job));
    } catch {
      return noTerms;
    }
  };

  return {
    find,
    names: () => options.files.names(),
    check: (request) => {
      const plugin = find(request.plugin);
      resolveArguments(plugin, request.args);
      driverOf(plugin).check(plugin, request);
      return driverOf(plugin).shown(plugin, request);
    },
    settled: (request) => {
      const plugin = find(request.plugin);
      return driverOf(plugin).settled?.(request) ?? request;
    },
    obstacle: async (job) => driverOf(find(job.request.plugin)).obstacle(job),
    prepare: async (job) => {
      const plugin = find(job.request.plugin);
      const plan = await planOf(options, plugin, driverOf(plugin), job);
      return plugin.manifest.mode === 'persistent' ? { ...plan, call: callTo(plugin, job) } : plan;
    },
    checkCall: (request) => {
      const plugin = programs.recent(request.plugin);
      if (plugin === undefined) return undefined;
      resolveArguments(plugin, request.args);
      return driverOf(plugin).shown(plugin, request);
    },
    call: (job) => callTo(programs.recent(job.request.plugin) ?? find(job.request.plugin), job),
    isRerunAfterLoss: (job) => find(job.request.plugin).manifest.on_restart === 'rerun',
    conclude: async (job, runExit) => {
      const terms = runExit.terms ?? presentTerms(job);
      const driver = Object.entries(drivers).find(([name]) => name === terms.driver)?.[1] ?? execDriver;
      return withLeftovers(await concluded(driver, job, runExit, terms), runExit);
    },
  };
};

const termsOf = (plugin: Plugin, argv: readonly string[]): RunTerms => ({
  driver: plugin.manifest.driver,
  successExitCodes: plugin.manifest.success_exit_codes,
  retryExitCodes: plugin.manifest.retry_exit_codes,
  argv,
});

/** Terms of a run that recorded none and whose plugin cannot be read any more. */
const noTerms: RunTerms = { driver: 'exec', successExitCodes: [0], argv: [] };

/** A process has ended and its exit is known: that is the conclusion when what the driver adds cannot be read. */
const concluded = async (driver: Driver, job: Job, runExit: RunExit, terms: RunTerms): Promise<Conclusion> => {
  try {
    return await driver.conclude(job, runExit, terms);
  } catch (thrown) {
    const missing = thrown instanceof Error ? thrown.message : String(thrown);
    return { ...concludeFromExit(runExit, terms), details: { missing } };
  }
};

/** An outcome names what the run has left behind. */
const withLeftovers = (conclusion: Conclusion, { leftovers }: RunExit): Conclusion =>
  conclusion.kind === 'deferred' || leftovers === undefined
    ? conclusion
    : { ...conclusion, details: { ...conclusion.details, leftovers } };

const planOf = async (options: PluginsOptions, plugin: Plugin, driver: Driver, job: Job): Promise<LaunchPlan> => {
  const { request } = job;
  const timeoutMs = timeoutOf(options, plugin, job);
  const argv = (await driver.startArgv?.(plugin, job)) ?? driver.argv(plugin, job);
  const actsAs = actsAsOf(plugin, request);
  const proof = actsAs === 'asker' ? options.proofOf(job) : undefined;
  return {
    argv,
    env: {
      ...options.baseEnv,
      ...withoutArguments(request.env),
      ...argumentEnv(resolveArguments(plugin, request.args)),
      ...contextEnv(options, job, timeoutMs),
      TRIGGERD_STATE: stateFolderOf(options, plugin),
      TRIGGERD_ACTS_AS: actsAs,
      ...fixedEnv(plugin),
    },
    cwd: request.cwd ?? '/',
    stdin: request.payload,
    ...(request.stderrApart === undefined ? {} : { stderrApart: request.stderrApart }),
    ...(request.gzip === undefined ? {} : { gzip: request.gzip }),
    ...(request.tsp === undefined ? {} : { notStartedText: 'ts could not run the command\n' }),
    ...(request.payloadEncoding === undefined ? {} : { stdinEncoding: request.payloadEncoding }),
    timeoutMs,
    graceMs: options.graceMs,
    maxOutputBytes: options.maxOutputBytes,
    context: options.contextOf(job),
    ...(proof === undefined ? {} : { proof }),
    limits: limitsOf(options, plugin),
    leftovers: leftoversOf(plugin),
    terms: termsOf(plugin, argv),
  };
};

/** A run of Puppet has ended when Puppet has, whatever it has started. */
const leftoversOf = ({ manifest: { leftovers, driver } }: Plugin): LeftoversRule =>
  leftovers ?? (driver === 'puppet' ? 'leave' : 'wait');

/** Without a request from a user of the registry, a job acts as the machine. */
const actsAsOf = ({ manifest }: Plugin, { source }: JobRequest): 'asker' | 'machine' =>
  source === 'request' ? manifest.acts_as : 'machine';

/** Arguments that the manifest has decided, whoever asks. */
const fixedEnv = ({ manifest: { args } }: Plugin): Record<string, string> => {
  const names = Object.entries(args).flatMap(([name, { fixed }]) => (fixed === null ? [] : [name]));
  return names.length === 0 ? {} : { TRIGGERD_FIXED: names.join(',') };
};

const timeoutOf = ({ defaultTimeoutMs }: PluginsOptions, { manifest }: Plugin, { request }: Job): number | null =>
  request.timeoutMs ?? manifest.timeout ?? defaultTimeoutMs;

/** `file/stream` → `file+stream`: no plugin's folder lies in another's. */
const stateFolderOf = ({ stateFolder }: PluginsOptions, { name }: Plugin): string =>
  `${stateFolder}/${name.replaceAll('/', '+')}`;

const limitsOf = ({ limits }: PluginsOptions, { manifest }: Plugin): JobLimits => {
  const chosen = (own: number | undefined, general: number | undefined): number | undefined =>
    manifest.lower_limits_win && own !== undefined && general !== undefined ? Math.min(own, general) : (own ?? general);
  return {
    memoryBytes: chosen(manifest.max_memory, limits.memoryBytes),
    processes: chosen(manifest.max_processes, limits.processes),
    openFiles: chosen(manifest.max_open_files, limits.openFiles),
    // A process that lives through many jobs would be killed for what they have taken together.
    cpuMs: manifest.mode === 'persistent' ? manifest.max_cpu : chosen(manifest.max_cpu, limits.cpuMs),
  };
};

/** Drops argument variables from a job's environment: the manifest has not checked them, and jobs inherit environments. */
const withoutArguments = (env: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith(argumentVariable(''))));

const argumentEnv = (args: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(args).map(([name, value]) => [argumentVariable(name), value]));

const contextEnv = (options: PluginsOptions, job: Job, timeoutMs: number | null): Record<string, string> => ({
  TRIGGERD_JOB: String(job.id),
  TRIGGERD_ATTEMPT: String(job.attempt),
  TRIGGERD_NODE: options.node,
  TRIGGERD_SOURCE: job.request.source,
  TRIGGERD_NOOP: job.request.noop ? '1' : '0',
  ...(job.firings[0] === undefined ? {} : { TRIGGERD_FIRING: job.firings[0] }),
  ...requestEnv(job.request),
  ...(timeoutMs === null ? {} : { TRIGGERD_DEADLINE: new Date(options.now() + timeoutMs).toISOString() }),
});

const requestEnv = ({ origin }: JobRequest): Record<string, string> =>
  origin === undefined
    ? {}
    : {
        TRIGGERD_REQUEST: origin.id,
        TRIGGERD_SERVICE: origin.service,
        TRIGGERD_WORKER: origin.worker,
        TRIGGERD_USER: origin.user,
      };
