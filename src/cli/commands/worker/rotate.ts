import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { findTeam, type TeamOption } from '../../registry/find-team.ts';
import { addTeamOption } from '../../registry/team-option.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { workerSection } from './worker-section.ts';

const help: HelpText = {
  details: `
The old token becomes void at once, and a worker that is connected with it is disconnected. Prints the same section as
\`trigger worker add\`.`,
  examples: ['trigger worker rotate demo01'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  addTeamOption(command.argument('<worker>', 'identity')).action(
    run(async (session, identity: string, options: TeamOption) => {
      const team = await findTeam(session, options);
      return change(session, { verb: 'worker.rotate', team, identity }, (row) => workerSection(team, row));
    }),
  );
};
