import type { Verbs } from '../command.ts';
import { type Argument, type Asked, changing, showing } from '../registry/verbs.ts';

const directory: Argument = ['directory', 'path'];
const settings = { mode: 'mode' } as const;

export const verbs: Verbs = {
  add: {
    summary: 'create a directory',
    examples: ['trigger directory add /alarms', 'trigger directory add /alarms/night --mode 0750'],
    define: changing(
      ['path', 'path'],
      ({ team, name, given }) => ({ verb: 'directory.add', team, path: name, ...given }),
      { settings },
    ),
  },
  set: {
    summary: 'change or move a directory',
    details: `
A directory moves with its content.`,
    examples: ['trigger directory set /alarms --move-to /night/alarms', 'trigger directory set /alarms --mode 0750'],
    define: changing(
      directory,
      ({ team, name, given, options: { moveTo } }: Asked<typeof settings, { readonly moveTo?: string }>) => ({
        verb: 'directory.set',
        team,
        path: name,
        ...(moveTo === undefined ? {} : { to: moveTo }),
        ...given,
      }),
      { settings, options: (command) => command.option('--move-to <path>', 'new path') },
    ),
  },
  show: {
    summary: 'show the directories, or one',
    examples: ['trigger directory show'],
    define: showing('directory.list', directory),
  },
  delete: {
    summary: 'delete an empty directory',
    details: 'Only an empty one.',
    examples: ['trigger directory delete /alarms'],
    define: changing(directory, ({ team, name }) => ({ verb: 'directory.delete', team, path: name })),
  },
};
