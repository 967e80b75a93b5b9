import { descriptionSetting } from '../../console/settings.ts';
import type { Verbs } from '../command.ts';
import { addSettings, settingsOf } from '../registry/settings.ts';
import { change, show } from '../registry/verbs.ts';

const inviteSettings = { role: 'role' } as const;

export const verbs: Verbs = {
  add: {
    summary: 'create a team',
    details: `
The new team has no members. \`trigger user add\` creates a member; \`trigger team invite\` adds a user of another team.`,
    examples: ['trigger team add team2'],
    define: (command, run) =>
      addSettings(command.argument('<name>', 'name'), descriptionSetting).action(
        run(async (session, name: string, options: object) =>
          change(session, { verb: 'team.add', name, ...settingsOf(descriptionSetting, options) }),
        ),
      ),
  },
  set: {
    summary: 'change a team',
    details: `
The owner can delete the team, and must be one of its admins.`,
    examples: ["trigger team set team1 --description 'the web servers'", 'trigger team set team1 --owner ada'],
    define: (command, run) =>
      addSettings(command.argument('<team>', 'name'), descriptionSetting)
        .option('--owner <user>', 'new owner')
        .action(
          run(async (session, name: string, options: { readonly owner?: string }) => {
            const owner = options.owner === undefined ? {} : { owner: options.owner };
            return change(session, { verb: 'team.set', name, ...owner, ...settingsOf(descriptionSetting, options) });
          }),
        ),
  },
  show: {
    summary: 'show the teams, or one',
    examples: ['trigger team show', 'trigger team show team1'],
    define: (command, run) =>
      command
        .argument('[team]', 'name')
        .action(run(async (session, name: string | undefined) => show(session, { verb: 'team.list' }, name))),
  },
  invite: {
    summary: 'invite a user to a team',
    details: `
This command makes the user a member at once. An invitation by an admin in the console must be accepted.`,
    examples: ['trigger team invite team2 hp', 'trigger team invite team2 hp --role admin'],
    define: (command, run) =>
      addSettings(command.argument('<team>', 'name').argument('<user>', 'user who joins'), inviteSettings).action(
        run(async (session, team: string, identity: string, options: object) => {
          const { role = 'member' } = settingsOf(inviteSettings, options);
          return change(session, { verb: 'team.invite', team, identity, role });
        }),
      ),
  },
  remove: {
    summary: 'remove a user from a team',
    details: `
The user is kept, but leaves this team; an open invitation ends.`,
    examples: ['trigger team remove team2 hp'],
    define: (command, run) =>
      command
        .argument('<team>', 'name')
        .argument('<user>', 'user who leaves')
        .action(
          run(async (session, team: string, identity: string) =>
            change(session, { verb: 'team.remove', team, identity }),
          ),
        ),
  },
  delete: {
    summary: 'delete a team',
    details: `
The team must be empty: first delete its workers, services, definitions and directories, or use --force. Users that are in
no other team are deleted too.`,
    examples: ['trigger team delete team2', 'trigger team delete team2 --force'],
    define: (command, run) =>
      command
        .argument('<team>', 'name')
        .option('--force', 'delete the content too')
        .action(
          run(async (session, name: string, { force }: { readonly force?: true }) =>
            change(session, { verb: 'team.delete', name, ...(force === undefined ? {} : { force }) }),
          ),
        ),
  },
};
