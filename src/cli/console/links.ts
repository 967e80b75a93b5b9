import { fullPluginName } from '../../bus/client/bus-client.ts';
import type { Client } from '../../client/client.ts';
import { connectOptionsOf } from '../../client/main-section.ts';
import type { Config } from '../../config/schema.ts';
import { answerOf } from '../../console/answer.ts';
import type { ConsoleRequest } from '../../console/form.ts';
import { TriggerdError } from '../../domain/errors.ts';
import type { RequestStatement } from '../../domain/live-request.ts';
import { unlessAborted } from '../../kit/unless-aborted.ts';
import type { Answer, Statement } from '../../registry/statements.ts';
import { askRegistry } from '../registry/ask-registry.ts';
import { findTeam } from '../registry/find-team.ts';
import { cancelRequests, listRequests, noticesOf } from '../request/live.ts';
import { connectUnlessInterrupted, perform } from '../request/perform.ts';
import { jsonPrinter, textPrinter } from '../request/printer.ts';
import { type DaemonClient, daemonClient } from '../support/http-client.ts';
import { Interrupted } from '../support/interruption.ts';
import { requestChain } from '../support/run-chain.ts';
import { askingUser } from '../support/session.ts';
import { findSocketPath } from '../support/socket-path.ts';
import { outletsOf, type Terminal } from '../support/terminal.ts';

/** Where the console's statements go. */
export interface ConsoleLink {
  /** The team whose things are meant. Throws `team-missing`. */
  team(): Promise<string>;
  /** Throws `registry-…`. */
  execute(statement: Statement | RequestStatement): Promise<Answer>;
  /** Asks a service and prints what comes back; gives the exit code. */
  request(request: ConsoleRequest): Promise<number>;
  close(): Promise<void>;
}

/** Nobody can be asked, for this cause: that ends a script, whatever was to be gone on with. */
export class NoLink extends Error {
  override readonly name = 'NoLink';
}

export interface BusOptions {
  readonly main: Config['main'];
  readonly terminal: Terminal;
  readonly json: boolean;
  /** All bytes of requests, also to a terminal. */
  readonly raw: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly interrupt: AbortSignal;
}

/** By a broker, as the user of `[main]`. Throws `broker-missing`, `broker-unreachable`, `login-failed`, `Interrupted`. */
export const busLink = async (options: BusOptions): Promise<ConsoleLink> => {
  const { main, interrupt } = options;
  const client = await connectUnlessInterrupted(connectOptionsOf(main), interrupt);
  return {
    team: async () => main.team ?? teamOfToken(main.jwt ?? ''),
    execute: async (statement) =>
      answerOf(await unlessAborted(client.registry(statement), interrupt, () => Promise.reject(new Interrupted()))),
    request: (request) => ask(client, request, options),
    close: () => client.close(),
  };
};

const ask = (client: Client, request: ConsoleRequest, options: BusOptions): Promise<number> => {
  const { env, interrupt, terminal, json } = options;
  const { out } = outletsOf(terminal, options);
  const { service, command, args, timeoutMs } = request;
  const plugin = fullPluginName(request.plugin);
  const time = timeoutMs === null ? {} : { timeoutMs };
  return perform(client, {
    order: { service, plugin, payload: command, args, ...time, ...requestChain(env) },
    printer: json
      ? jsonPrinter({ service, plugin, write: terminal.out })
      : textPrinter({ service, plugin, write: { out, err: out, about: out } }),
    note: (text) => terminal.err(`triggerfs-cli: ${text}\n`),
    interrupt,
  });
};

/** The team that a token is for. Only read, not believed: the broker looks whether it is genuine. */
const teamOfToken = (jwt: string): string => {
  try {
    const claims: unknown = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());
    return String((claims as { readonly team?: unknown }).team);
  } catch (cause) {
    throw new TriggerdError('token-invalid', '[main] jwt is not a token', { cause });
  }
};

interface LocalOptions {
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
