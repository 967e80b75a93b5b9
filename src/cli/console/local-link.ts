import { TriggerdError } from '../../domain/errors.ts';
import type { RequestStatement } from '../../domain/live-request.ts';
import type { Answer, Statement } from '../../registry/statements.ts';
import { askRegistry } from '../registry/ask-registry.ts';
import { findTeam } from '../registry/find-team.ts';
import { cancelRequests, listRequests, noticesOf } from '../request/live.ts';
import { type DaemonClient, daemonClient } from '../support/http-client.ts';
import { askingUser } from '../support/session.ts';
import { findSocketPath } from '../support/socket-path.ts';
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
    execute: (statement) =>
      isOfBroker(statement) ? askBroker(client, statement, env) : askRegistry(client, statement),
    request: () => Promise.reject(new TriggerdError('usage', 'requests need a broker: leave out --socket')),
    close: () => Promise.resolve(),
  };
};

const isOfBroker = (statement: Statement | RequestStatement): statement is RequestStatement =>
  statement.verb === 'request.list' || statement.verb === 'request.cancel';

const askBroker = async (
  client: DaemonClient,
  { verb, ...about }: RequestStatement,
  env: LocalOptions['env'],
): Promise<Answer> => {
  const found =
    verb === 'request.list'
      ? await listRequests(client, about)
      : await cancelRequests(client, { ...about, by: askingUser(env) });
  return { kind: 'request', rows: found.requests, notices: noticesOf(found) };
};
