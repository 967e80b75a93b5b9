import { join } from 'node:path';
import type { LoadedConfig } from '../../config/config.ts';
import { sourceKey } from '../../config/layers.ts';
import { TriggerdError } from '../../domain/errors.ts';

export interface WorkerPaths {
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
  env: Readonly<Record<string, string | undefined>>,
): WorkerPaths => {
  const isWritten = sources.has(sourceKey(['node', 'state_dir']));
  const folder = isWritten ? config.node.state_dir : join(stateHome(env), 'triggerd', `${team}.${identity}`);
  return { state_dir: folder, socket: socket ?? join(folder, 'triggerd.sock') };
};

export const stateHome = ({ XDG_STATE_HOME, HOME }: Readonly<Record<string, string | undefined>>): string => {
  if (XDG_STATE_HOME?.startsWith('/')) return XDG_STATE_HOME;
  if (HOME?.startsWith('/')) return join(HOME, '.local/state');
  throw new TriggerdError('state-unusable', 'there is no folder for jobs: set $XDG_STATE_HOME or $HOME');
};
