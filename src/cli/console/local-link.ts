import { TriggerdError } from '../../domain/errors.ts';
import { daemonClient } from '../http-client.ts';
import { askRegistry } from '../registry/ask-registry.ts';
import { findTeam } from '../registry/find-team.ts';
import { findSocketPath } from '../socket-path.ts';
import type { ConsoleLink } from './link.ts';

export interface LocalOptions {
  /** Undefined: that of the configuration. */
  readonly socket: string | undefined;
  readonly configFile: string | undefined;
  readonly team: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly interrupt: AbortSignal;
}

/** By the daemon of this node: who may use its control socket needs no login, and may do everything. */
export const localLink = ({ socket, configFile, team, env, interrupt }: LocalOptions): ConsoleLink => {
  const client = daemonClient(() => findSocketPath(socket, configFile, env), interrupt);
  return {
    team: () => findTeam({ client, configFile, env }, team === undefined ? {} : { team }),
    execute: (statement) => askRegistry(client, statement),
    request: () => Promise.reject(new TriggerdError('usage', 'requests go by a broker: leave --socket out')),
    close: () => Promise.resolve(),
  };
};
