import { parsePluginName } from '../domain/names.ts';

/**
 * The one name of a plugin: the folder below the plugins folder. The executable has the folder's own name, so
 * `command/command` (the path of the executable) and `command` (short) are the same plugin.
 * Throws `plugin-name-invalid`.
 */
export const canonicalPluginName = (name: string): string => {
  const segments = parsePluginName(name).split('/');
  const repeatsItself = segments.length > 1 && segments.at(-1) === segments.at(-2);
  return (repeatsItself ? segments.slice(0, -1) : segments).join('/');
};
