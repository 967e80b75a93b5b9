import { Client } from '../../client/client.ts';
import { connectOptionsOf } from '../../client/main-section.ts';
import type { Config } from '../../config/schema.ts';
import { answerOf } from '../../console/answer.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { unlessInterrupted } from '../unless-interrupted.ts';
import type { ConsoleLink } from './link.ts';

/** By a broker, as the user of `[main]`. Throws `broker-missing`, `broker-unreachable`, `login-failed`, `Interrupted`. */
export const busLink = async (main: Config['main'], interrupt: AbortSignal): Promise<ConsoleLink> => {
  const connecting = Client.connect(connectOptionsOf(main));
  const client = await unlessInterrupted(connecting, interrupt);
  return {
    team: async () => main.team ?? teamOfToken(main.jwt ?? ''),
    execute: async (statement) => answerOf(await unlessInterrupted(client.registry(statement), interrupt)),
    request: () => Promise.reject(new TriggerdError('usage', 'use triggerfs-client')),
    close: () => client.close(),
  };
};

/** The team that a token is for. Only read, not believed: the broker looks whether it is genuine. */
const teamOfToken = (jwt: string): string => {
  try {
    const claims: unknown = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());
    return String((claims as { readonly team?: unknown }).team);
  } catch (cause) {
    throw new TriggerdError('token-invalid', '[main] jwt is no token', { cause });
  }
};
