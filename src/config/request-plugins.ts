import type { Config } from './schema.ts';

/** What workers serve without `[workers] allow` and `pluginspath`: plugins that show something and change nothing. */
export const harmlessPlugins: readonly string[] = ['echo', 'echo/fast', 'monitor'];

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
