import { descriptionSetting } from '../../console/settings.ts';
import type { Verbs } from '../command.ts';
import { type Argument, changing, showing } from '../registry/verbs.ts';

const worker: Argument = ['worker', 'identity'];

/** A new worker as its configuration has it, to be pasted. */
const section = async (team: string) => {
  const { stringify } = await import('smol-toml');
  return (row: unknown): string => {
    const { identity, token } = row as { readonly identity: string; readonly token: string };
    return stringify({ workers: { [team]: { [identity]: { token } } } });
  };
};

export const verbs: Verbs = {
  add: {
    summary: 'create a worker; prints its token once',
    details: `
Prints the section for the worker’s configuration, with its token. The token is shown only once: the registry keeps only its
hash.`,
    examples: [
      'trigger worker add demo01',
      'trigger worker add demo01 --team team1 >> triggerfs.toml',
      'trigger worker add demo01 --json | jq -r .token',
    ],
    define: changing(worker, ({ team, name, given }) => ({ verb: 'worker.add', team, identity: name, ...given }), {
      settings: descriptionSetting,
      shows: section,
    }),
  },
  set: {
    summary: 'change a worker',
    examples: ["trigger worker set demo01 --description 'rack 7'"],
    define: changing(worker, ({ team, name, given }) => ({ verb: 'worker.set', team, identity: name, ...given }), {
      settings: descriptionSetting,
    }),
  },
  show: {
    summary: 'show the workers, or one',
    examples: ['trigger worker show', 'trigger worker show demo01 --json'],
    define: showing('worker.list', worker),
  },
  rotate: {
    summary: 'give a worker a new token',
    details: `
The old token becomes void at once, and a worker that is connected with it is disconnected. Prints the same section as
\`trigger worker add\`.`,
    examples: ['trigger worker rotate demo01'],
    define: changing(worker, ({ team, name }) => ({ verb: 'worker.rotate', team, identity: name }), {
      shows: section,
    }),
  },
  delete: {
    summary: 'delete a worker',
    details: 'A worker that is attached to a service is detached first, with `trigger service detach`.',
    examples: ['trigger worker delete demo01'],
    define: changing(worker, ({ team, name }) => ({ verb: 'worker.delete', team, identity: name })),
  },
};
