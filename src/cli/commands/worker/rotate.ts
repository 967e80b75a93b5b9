import type { Define } from '../../command.ts';
import { change } from '../../registry/change.ts';
import { findTeam, type TeamOption } from '../../registry/find-team.ts';
import { addTeamOption } from '../../registry/team-option.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { workerSection } from './worker-section.ts';

const help: HelpText = {
  details: `
The old token is void at once: a worker that is connected by it is disconnected. Prints as \`trigger worker add\` does.`,
  examples: ['trigger worker rotate demo01'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  addTeamOption(command.argument('<worker>', 'its identity')).action(
    run(async (session, identity: string, options: TeamOption) => {
      const team = await findTeam(session, options);
      return change(session, { verb: 'worker.rotate', team, identity }, (row) => workerSection(team, row));
    }),
  );
};
