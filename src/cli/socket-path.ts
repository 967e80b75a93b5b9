import { defaultSocketPath } from '../config/default-socket.ts';
import { locateConfig } from '../config/locate.ts';
import { quickSocket } from '../config/quick-socket.ts';
import { readConfigFile, unlessUnreadable } from './read-config-file.ts';

/**
 * Where the daemon listens: `--socket`, `$TRIGGERD_SOCKET`, else `[node] socket` of the configuration. Reads only that
 * one key, unchecked otherwise: a slip elsewhere in the file must not keep anybody from looking at the queue.
 */
export const findSocketPath = async (
  flag: string | undefined,
  configFile: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> => {
  const given = flag ?? (env['TRIGGERD_SOCKET'] || env['TRIGGERD_NODE_SOCKET'] || undefined);
  if (given !== undefined) return given;
  const places = locateConfig(configFile, env);
  const file = unlessUnreadable(() => readConfigFile(places), places[0].named);
  if (file === null || !file.text.includes('socket')) return defaultSocketPath;
  const quick = quickSocket(file.text);
  if (quick !== undefined) return quick;
  const { parseToml } = await import('../config/toml.ts');
  const node = parseToml(file.text, file.path)['node'] as { readonly socket?: unknown } | undefined;
  return typeof node?.socket === 'string' ? node.socket : defaultSocketPath;
};
