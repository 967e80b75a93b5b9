import { serviceSettings } from '../../console/settings.ts';
import type { Define, Verbs } from '../command.ts';
import type { TeamOption } from '../registry/find-team.ts';
import { type Argument, addTeamOption, change, changing, findTeam, showing } from '../registry/verbs.ts';

const service: Argument = ['service', 'name'];

const connecting =
  (verb: 'service.attach' | 'service.detach'): Define =>
  (command, run) =>
    addTeamOption(command.argument('<service>', 'name').argument('<worker>', 'identity')).action(
      run(async (session, name: string, worker: string, options: TeamOption) =>
        change(session, { verb, team: await findTeam(session, options), name, worker }),
      ),
    );

export const verbs: Verbs = {
  add: {
    summary: 'create a service',
    examples: ['trigger service add demoservice', 'trigger service add reports --algorithm serial --visibility team'],
    define: changing(service, ({ team, name, given }) => ({ verb: 'service.add', team, name, ...given }), {
      settings: serviceSettings,
    }),
  },
  set: {
    summary: 'change a service',
    examples: [
      'trigger service set demoservice --algorithm mirror',
      'trigger service set demoservice --timeout 30s --retry always',
      'trigger service set demoservice --visibility public',
    ],
    define: changing(service, ({ team, name, given }) => ({ verb: 'service.set', team, name, ...given }), {
      settings: serviceSettings,
    }),
  },
  show: {
    summary: 'show the services, or one',
    examples: ['trigger service show', 'trigger service show demoservice'],
    define: showing('service.list', service),
  },
  attach: {
    summary: 'attach a worker to a service',
    details: `
A running worker announces the service without a restart.`,
    examples: ['trigger service attach demoservice demo01'],
    define: connecting('service.attach'),
  },
  detach: {
    summary: 'detach a worker from a service',
    details: `
Requests that the worker already has continue.`,
    examples: ['trigger service detach demoservice demo01'],
    define: connecting('service.detach'),
  },
  delete: {
    summary: 'delete a service',
    details: 'A service that a definition uses can’t be deleted.',
    examples: ['trigger service delete demoservice'],
    define: changing(service, ({ team, name }) => ({ verb: 'service.delete', team, name })),
  },
};
