import { join } from 'node:path';
import { TriggerdError } from '../../domain/errors.ts';
import { stateHome } from './worker-paths.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Where the daemon of one user has its socket; undefined where there is no folder for it. */
export const userSocket = ({ XDG_RUNTIME_DIR }: Env): string | undefined =>
  XDG_RUNTIME_DIR?.startsWith('/') ? join(XDG_RUNTIME_DIR, 'triggerd/triggerd.sock') : undefined;

/** What `triggerd --user` uses unless a configuration says otherwise. Throws `state-unusable`. */
export const userPaths = (
  env: Env,
): { readonly config: string; readonly state_dir: string; readonly socket: string } => {
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
