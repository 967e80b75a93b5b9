import { credentialsOf } from '../../client/main-section.ts';
import { configuredBrokers } from '../../config/brokers.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { formatDuration } from '../../kit/duration.ts';
import type { Define } from '../command.ts';
import { connectUnlessInterrupted } from '../request/perform.ts';
import { loadTriggerfsConfig } from '../support/load-config.ts';
import { duration, type HelpText } from '../support/options.ts';
import { print, type Session } from '../support/session.ts';

interface Options {
  readonly printToken?: boolean;
  readonly ttl?: number;
}

export const help: HelpText = {
  details: `
Logs in as [main] identity with its password and prints a token, for [main] jwt of a file without the password. The token
has the rights of this user in this team, but cannot change users and teams: nobody can take over the account with it.
Old versions of the broker refuse a token that is older than 15 minutes.
\`trigger user revoke IDENTITY\` and a new password end all tokens of a user.`,
  examples: ['trigger login --print-token', 'trigger login --print-token --ttl 30d'],
};

export const define: Define = (command, run) =>
  command
    .option('--print-token', 'print the token; triggerd does not store it')
    .option('--ttl <duration>', 'lifetime of the token, at most 366 days (default: 15m)', duration)
    .action(run(login));

const login = async (session: Session, { printToken = false, ttl = defaultTtlMs }: Options): Promise<number> => {
  if (!printToken) throw new TriggerdError('usage', 'login stores no token: add --print-token');
  const { terminal, env, interrupt } = session;
  const { main } = loadTriggerfsConfig({ file: session.configFile, env }).config;
  const { jwt: _given, ...password } = main;
  const client = await connectUnlessInterrupted(
    {
      ...credentialsOf(password),
      brokers: configuredBrokers(main),
      tokenTtlMs: ttl,
    },
    interrupt,
  );
  try {
    const { jwt, leftMs } = client.token();
    const expires_at = new Date(Date.now() + leftMs).toISOString();
    await print(session, { token: jwt, expires_at }, () => jwt);
    if (!session.json)
      terminal.err(`trigger: the token of ${main.identity}@${main.team} is valid until ${expires_at}\n`);
    if (leftMs < ttl - toleranceMs)
      terminal.err(
        `trigger: warning: the broker’s token is valid for only ${formatDuration(Math.round(leftMs / 1_000) * 1_000)}\n`,
      );
    return 0;
  } finally {
    await client.close();
  }
};

const defaultTtlMs = 15 * 60_000;

/** The answer takes a while, and lives are whole seconds. */
const toleranceMs = 60_000;
