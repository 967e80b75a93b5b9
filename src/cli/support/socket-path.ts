import { accessSync, constants } from 'node:fs';
import { defaultSocketPath } from '../../config/default-socket.ts';
import { quickSocket } from '../../config/quick-socket.ts';
import { userSocket } from './own-paths.ts';
import { readConfigText } from './read-config-file.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Where the daemon listens: `--socket`, `$TRIGGERD_SOCKET`, else `[node] socket` of the configuration, else the socket of the
 * user's own daemon. Reads only that
 * one key, unchecked otherwise: a slip elsewhere in the file must not keep anybody from looking at the queue.
 */
export const findSocketPath = async (
  flag: string | undefined,
  configFile: string | undefined,
  env: Env,
): Promise<string> => {
  const given = flag ?? (env['TRIGGERD_SOCKET'] || env['TRIGGERD_NODE_SOCKET'] || undefined);
  if (given !== undefined) return given;
  const path = async () =>
    (await readConfigText(configFile, env, ['node', 'socket'], quickSocket)) ?? defaultSocketPath;
  const named = configFile ?? (env['TRIGGERD_CONFIG'] || undefined);
  return named === undefined ? ownUnlessOpen(await path(), env) : path();
};

/** A plain user who may not use the system's daemon, or has none, means the own one, if that is there. */
const ownUnlessOpen = (system: string, env: Env): string => {
  const own = userSocket(env);
  return own !== undefined && process.getuid?.() !== 0 && !isOpen(system) && isOpen(own) ? own : system;
};

const isOpen = (path: string): boolean => {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
};
