/** Which configuration file is meant; looking whether it is there is the caller's part. */
export interface ConfigFile {
  readonly path: string;
  /** Somebody named this file: then it has to exist. */
  readonly named: boolean;
}

/** A configuration file larger than this is not one. */
export const maxConfigBytes = 2 ** 20;

export const defaultConfigPath = '/etc/triggerd/triggerd.toml';

/** `--config`, else `$TRIGGERD_CONFIG`, else the default places; the first that exists counts. */
export const locateConfig = (
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): readonly [ConfigFile, ...ConfigFile[]] => {
  const named = flag ?? (env['TRIGGERD_CONFIG'] || undefined);
  return [named === undefined ? { path: defaultConfigPath, named: false } : { path: named, named: true }];
};

/** The same for the `triggerfs*` commands: they also look where triggerFS' documentation has its file. */
export const locateTriggerfsConfig = (
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): readonly [ConfigFile, ...ConfigFile[]] => {
  const places = locateConfig(flag, env);
  if (places[0].named || !env['HOME']) return places;
  return [{ path: `${env['HOME']}/triggerfs.toml`, named: false }, ...places];
};
