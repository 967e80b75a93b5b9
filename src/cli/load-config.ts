/** The configuration file as the daemon, `trigger config` and the `triggerfs*` commands see it; everything pure about it lives in `src/config/`. */
import { type LoadedConfig, parseConfig } from '../config/config.ts';
import { locateConfig, locateTriggerfsConfig } from '../config/locate.ts';
import { readConfigFile } from './read-config-file.ts';

export interface ConfigRequest {
  /** `--config`. */
  readonly file?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** From flags, by dotted key. */
  readonly overrides?: Readonly<Record<string, unknown>>;
}

/** Reads, checks and freezes the configuration. Throws `config-not-found|-unreadable|-syntax|-invalid`. */
export const loadConfig = ({ file, env, overrides = {} }: ConfigRequest): LoadedConfig =>
  parseConfig({ file: readConfigFile(locateConfig(file, env)), env, overrides });

/** The same for the `triggerfs*` commands, which also look into `$HOME/triggerfs.toml`. */
export const loadTriggerfsConfig = ({ file, env, overrides = {} }: ConfigRequest): LoadedConfig =>
  parseConfig({ file: readConfigFile(locateTriggerfsConfig(file, env)), env, overrides });
