import { fullPluginName } from '../../bus/client/bus-client.ts';
import type { Client } from '../../client/client.ts';
import { connectOptionsOf } from '../../client/main-section.ts';
import type { Config } from '../../config/schema.ts';
import { answerOf } from '../../console/answer.ts';
import type { ConsoleRequest } from '../../console/form.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { unlessAborted } from '../../kit/unless-aborted.ts';
import { connectUnlessInterrupted, perform } from '../request/perform.ts';
import { jsonPrinter, textPrinter } from '../request/printer.ts';
import { Interrupted } from '../support/interrupted.ts';
import { requestChain } from '../support/run-chain.ts';
import { outletsOf, type Terminal } from '../support/terminal.ts';
import type { ConsoleLink } from './link.ts';

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
