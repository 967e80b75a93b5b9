import type { InitBody } from '../../api/contract/registry.ts';
import type { Answer } from '../../registry/statements.ts';
import type { Verbs } from '../command.ts';
import { readNewSecret, type SecretOption } from '../support/read-secret.ts';
import { printDone } from '../support/session.ts';

interface InitOptions extends SecretOption {
  readonly team: string;
  readonly identity: string;
}

export const verbs: Verbs = {
  init: {
    summary: 'create the first team and its admin',
    details: `
etcd keeps the teams, users, workers and services, and all daemons of this etcd share them. This command creates the first
team and its admin. It is refused if a team exists: add further users with \`trigger user add\`.

The password must have at least 12 characters. It is asked for on the terminal, or read from stdin.`,
    examples: [
      'trigger admin init --team team1 --identity hp',
      'trigger admin init --team team1 --identity hp --password-stdin < secret',
    ],
    define: (command, run) =>
      command
        .requiredOption('--team <team>', 'name of the first team')
        .requiredOption('--identity <user>', 'its admin')
        .option('--password-stdin', 'read the password from stdin')
        .action(
          run(async (session, { team, identity, ...options }: InitOptions) => {
            const secret = await readNewSecret(options, identity);
            const body: InitBody = { team, identity, secret };
            const { rows } = await session.client.request<Answer>('/v1/admin/init', { method: 'POST', body });
            await printDone(session, rows[0], `created team ${team}; ${identity} is its admin`);
          }),
        ),
  },
};
