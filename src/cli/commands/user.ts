import { type Command, Option } from 'commander';
import { userSettings } from '../../console/settings.ts';
import type { Verbs } from '../command.ts';
import { type Argument, type Asked, changing, showing } from '../registry/verbs.ts';
import { readNewSecret, type SecretOption } from '../support/read-secret.ts';

const user: Argument = ['user', 'identity'];

interface SetOptions extends SecretOption {
  readonly password?: boolean;
  readonly disable?: boolean;
  readonly enable?: boolean;
}

const addSetOptions = (command: Command): Command =>
  command
    .option('--password', 'ask for a new password on the terminal')
    .option('--password-stdin', 'read a new password from stdin')
    .addOption(new Option('--disable', 'refuse logins of the user').conflicts('enable'))
    .option('--enable', 'allow logins again');

export const verbs: Verbs = {
  add: {
    summary: 'create a user',
    details: `
The password must have at least 12 characters. It is asked for on the terminal, or read from stdin.`,
    examples: [
      'trigger user add hp --role admin',
      'trigger user add deploy --team team1 --password-stdin < deploy.password',
    ],
    define: changing(
      user,
      async ({ team, name: identity, given, options }: Asked<typeof userSettings, SecretOption>) => {
        const secret = await readNewSecret(options, identity);
        return { verb: 'user.add', team, identity, secret, ...given };
      },
      {
        settings: userSettings,
        options: (command) => command.option('--password-stdin', 'read the password from stdin'),
      },
    ),
  },
  set: {
    summary: 'change a user or the password',
    details: `
A new password ends all sessions and tokens of the user; --disable does so too.`,
    examples: ['trigger user set hp --role member', 'trigger user set hp --password', 'trigger user set hp --disable'],
    define: changing(
      user,
      async ({ team, name: identity, given, options }: Asked<typeof userSettings, SetOptions>) => {
        const { password, passwordStdin, disable, enable } = options;
        const isNew = password === true || passwordStdin === true;
        return {
          verb: 'user.set',
          team,
          identity,
          ...given,
          ...(isNew ? { secret: await readNewSecret(options, identity) } : {}),
          ...(disable === true ? { disabled: true } : enable === true ? { disabled: false } : {}),
        };
      },
      { settings: userSettings, options: addSetOptions },
    ),
  },
  show: {
    summary: 'show the users, or one',
    examples: ['trigger user show', 'trigger user show hp --team team1'],
    define: showing('user.list', user),
  },
  revoke: {
    summary: 'end all logins and tokens of a user',
    details:
      'All tokens of the user are void at once. The password stays as it is; `trigger user set --disable` keeps the user out.',
    examples: ['trigger user revoke hp'],
    define: changing(user, ({ team, name }) => ({ verb: 'user.revoke', team, identity: name })),
  },
  delete: {
    summary: 'delete a user',
    examples: ['trigger user delete hp'],
    define: changing(user, ({ team, name }) => ({ verb: 'user.delete', team, identity: name })),
  },
};
