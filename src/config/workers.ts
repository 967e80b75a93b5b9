import { TriggerdError } from '../domain/errors.ts';
import type { Config } from './schema.ts';

export interface ConfiguredWorker {
  readonly team: string;
  readonly identity: string;
  readonly token: string;
}

/** All `[workers.<team>.<identity>]` of the file. */
export const configuredWorkers = ({ workers }: Pick<Config, 'workers'>): ConfiguredWorker[] => {
  const { pluginspath: _, allow: __, broker: ___, broker_key: ____, ...teams } = workers;
  return Object.entries(teams).flatMap(([team, identities]) =>
    Object.entries(identities).map(([identity, { token }]) => ({ team, identity, token })),
  );
};

interface WorkerChoice {
  readonly identity?: string | undefined;
  readonly team?: string | undefined;
}

/**
 * The worker that `-identity` and `-team` mean. Without a team it is the only one of this name, or that of `[main] team`.
 * Throws `usage`, `team-missing`, and `config-invalid` where the file has no such worker.
 */
export const chooseWorker = (
  { config, file }: { readonly config: Pick<Config, 'workers' | 'main'>; readonly file: string | null },
  { identity, team }: WorkerChoice,
): ConfiguredWorker => {
  const all = configuredWorkers(config);
  const place = file ?? 'the configuration';
  const known = all.map((worker) => `${worker.team}/${worker.identity}`).join(', ') || 'none';
  if (identity === undefined)
    throw new TriggerdError('usage', `-identity is missing; ${place} has these workers: ${known}`);
  const named = all.filter((worker) => worker.identity === identity && (team === undefined || worker.team === team));
  const [only, another] = named.length > 1 ? named.filter((worker) => worker.team === config.main.team) : named;
  if (only !== undefined && another === undefined) return only;
  if (named.length > 1)
    throw new TriggerdError(
      'team-missing',
      `${place} has a worker ${identity} in several teams: ${named.map((worker) => worker.team).join(', ')}`,
    );
  throw new TriggerdError(
    'config-invalid',
    `${place}: there is no [workers.${team ?? config.main.team ?? 'TEAM'}.${identity}] with the worker’s token; it has: ${known}`,
  );
};

/** What workers serve without `[workers] allow` and `pluginspath`: plugins that show something and change nothing. */
const harmlessPlugins: readonly string[] = ['echo', 'echo/fast', 'monitor'];

/** Which plugins a request may start: those of a list, or whatever the folder has. */
export type RequestPlugins =
  | { readonly kind: 'list' | 'harmless'; readonly names: readonly string[] }
  | { readonly kind: 'folder' };

export const requestPlugins = ({ workers: { allow, pluginspath } }: Pick<Config, 'workers'>): RequestPlugins => {
  if (allow !== undefined) return { kind: 'list', names: allow };
  return pluginspath === undefined ? { kind: 'harmless', names: harmlessPlugins } : { kind: 'folder' };
};

const shown = 'echo, echo/fast and monitor';

/** For the log and `trigger config`: that the workers here serve next to nothing. */
export const harmlessNotice = `The workers here serve only the plugins ${shown}, because the configuration sets neither [workers] allow nor pluginspath. To let requests run commands, set [workers] allow = ["command"]`;

/** For who asked for `plugin`. */
export const harmlessRefusal = (plugin: string): string =>
  `without [workers] allow and pluginspath it serves only ${shown}; to allow this plugin, set [workers] allow = ["${plugin}"] there`;
