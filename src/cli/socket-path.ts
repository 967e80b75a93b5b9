import { existsSync } from 'node:fs';
import { TriggerdError } from '../domain/errors.ts';

/** Repeats the schema's default: loading the schema costs more than a whole `trigger queue` may take. */
const defaultSocketPath = '/run/triggerd/triggerd.sock';

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
  const { locateConfig } = await import('../config/locate.ts');
  const places = locateConfig(configFile, env);
  if (!places[0].named && !existsSync(places[0].path)) return defaultSocketPath;
  const [{ readConfigFile }, { parseToml }] = await Promise.all([
    import('./read-config-file.ts'),
    import('../config/toml.ts'),
  ]);
  const file = unlessUnreadable(() => readConfigFile(places), places[0].named);
  const node = file === null ? undefined : parseToml(file.text, file.path)['node'];
  const socket = (node as { socket?: unknown } | undefined)?.socket;
  return typeof socket === 'string' ? socket : defaultSocketPath;
};

/** The default file may hold secrets and be closed to users who may use the socket all the same. */
const unlessUnreadable = <T>(read: () => T, named: boolean): T | null => {
  try {
    return read();
  } catch (error) {
    if (!named && error instanceof TriggerdError && error.code === 'config-unreadable') return null;
    throw error;
  }
};
