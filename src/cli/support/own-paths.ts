import { join } from 'node:path';
import type { LoadedConfig } from '../../config/config.ts';
import { sourceKey } from '../../config/layers.ts';
import { TriggerdError } from '../../domain/errors.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** As `[node]` has them. */
interface NodePaths {
  readonly state_dir: string;
  readonly socket: string;
}

/**
 * Where a worker keeps its jobs, and where its control socket is: `[node] state_dir` where somebody has written that,
 * else a folder of its own below `$XDG_STATE_HOME`. Throws `state-unusable`.
 */
export const workerPaths = (
  { config, sources }: Pick<LoadedConfig, 'config' | 'sources'>,
  { team, identity }: { readonly team: string; readonly identity: string },
  socket: string | undefined,
  env: Env,
): NodePaths => {
  const isWritten = sources.has(sourceKey(['node', 'state_dir']));
  const folder = isWritten ? config.node.state_dir : join(stateHome(env), 'triggerd', `${team}.${identity}`);
  return { state_dir: folder, socket: socket ?? join(folder, 'triggerd.sock') };
};

export const stateHome = ({ XDG_STATE_HOME, HOME }: Env): string => {
  if (XDG_STATE_HOME?.startsWith('/')) return XDG_STATE_HOME;
  if (HOME?.startsWith('/')) return join(HOME, '.local/state');
  throw new TriggerdError('state-unusable', 'there is no folder for jobs: set $XDG_STATE_HOME or $HOME');
};

/** Where the daemon of one user has its socket; undefined where there is no folder for it. */
export const userSocket = ({ XDG_RUNTIME_DIR }: Env): string | undefined =>
  XDG_RUNTIME_DIR?.startsWith('/') ? join(XDG_RUNTIME_DIR, 'triggerd/triggerd.sock') : undefined;

/** What `triggerd --user` uses unless a configuration says otherwise. Throws `state-unusable`. */
export const userPaths = (env: Env): NodePaths & { readonly config: string } => {
  const socket = userSocket(env);
  if (socket === undefined)
    throw new TriggerdError('state-unusable', 'there is no folder for the control socket: set $XDG_RUNTIME_DIR');
  const configHome = env['XDG_CONFIG_HOME']?.startsWith('/')
    ? env['XDG_CONFIG_HOME']
    : join(env['HOME'] ?? '/', '.config');
  return {
    config: join(configHome, 'triggerd/triggerd.toml'),
    state_dir: join(stateHome(env), 'triggerd/queue'),
    socket,
  };
};
