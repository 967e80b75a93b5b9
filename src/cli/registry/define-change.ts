import type { Statement } from '../../registry/statements.ts';
import type { Define } from '../command.ts';
import { addHelp, type HelpText } from '../support/help.ts';
import { change } from './change.ts';
import { findTeam, type TeamOption } from './find-team.ts';
import { addTeamOption } from './team-option.ts';

/** A verb that needs no more than a name, such as `trigger worker delete <worker>`. */
export const defineChange =
  (
    argument: { readonly name: string; readonly about: string },
    help: HelpText,
    statementOf: (team: string, name: string) => Statement,
  ): Define =>
  (command, run) => {
    addHelp(command, help);
    addTeamOption(command.argument(`<${argument.name}>`, argument.about)).action(
      run(async (session, name: string, options: TeamOption) =>
        change(session, statementOf(await findTeam(session, options), name)),
      ),
    );
  };
