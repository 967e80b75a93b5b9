/** The configuration file as the daemon, `trigger config` and the `triggerfs*` commands see it; everything pure about it lives in `src/config/`. */
import { type LoadedConfig, parseConfig } from '../../config/config.ts';
import { sourceKey } from '../../config/layers.ts';
import { locateConfig, locateTriggerfsConfig } from '../../config/locate.ts';
import { given } from '../../kit/given.ts';
import { userPaths } from './own-paths.ts';
import { readConfigFile } from './read-config-file.ts';

export interface ConfigRequest {
  /** `--config`. */
  readonly file?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** From flags, by dotted key. */
  readonly overrides?: Readonly<Record<string, unknown>>;
}

/** For `triggerd --user`: the user's own file, which need not be there, and places of the user's own. */
export const loadUserConfig = ({ file, env, overrides = {} }: ConfigRequest): LoadedConfig => {
  const { config, ...places } = userPaths(env);
  const path = file ?? (env['TRIGGERD_CONFIG'] || undefined);
  const read = readConfigFile([path === undefined ? { path: config, named: false } : { path, named: true }]);
  const written = parseConfig({ file: read, env }).sources;
  const own = Object.entries(places).filter(([key]) => !written.has(sourceKey(['node', key])));
  const elsewhere = Object.fromEntries(own.map(([key, place]) => [`node.${key}`, place]));
  return parseConfig({ file: read, env, overrides: { ...elsewhere, ...given(overrides) } });
};

/** Reads, checks and freezes the configuration. Throws `config-not-found|-unreadable|-syntax|-invalid`. */
export const loadConfig = ({ file, env, overrides = {} }: ConfigRequest): LoadedConfig =>
  parseConfig({ file: readConfigFile(locateConfig(file, env)), env, overrides });

/** The same for the `triggerfs*` commands, which also look into `$HOME/triggerfs.toml`. */
export const loadTriggerfsConfig = ({ file, env, overrides = {} }: ConfigRequest): LoadedConfig =>
  parseConfig({ file: readConfigFile(locateTriggerfsConfig(file, env)), env, overrides });
