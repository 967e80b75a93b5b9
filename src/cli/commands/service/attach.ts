import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { findTeam, type TeamOption } from '../../registry/find-team.ts';
import { addTeamOption } from '../../registry/team-option.ts';
import { addHelp, type HelpText } from '../../support/help.ts';

const help: HelpText = {
  details: `
A running worker announces the service without a restart.`,
  examples: ['trigger service attach demoservice demo01'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  addTeamOption(command.argument('<service>', 'name').argument('<worker>', 'identity')).action(
    run(async (session, name: string, worker: string, options: TeamOption) =>
      change(session, { verb: 'service.attach', team: await findTeam(session, options), name, worker }),
    ),
  );
};
