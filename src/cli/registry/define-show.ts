import type { Define } from '../command.ts';
import { addHelp, type HelpText } from '../support/help.ts';
import { findTeam, type TeamOption } from './find-team.ts';
import { type ListStatement, show } from './show.ts';
import { addTeamOption } from './team-option.ts';

type ListVerb = Exclude<ListStatement['verb'], 'team.list'>;

/** `trigger worker show [worker]` and its like: all that a team has of a kind, or one. */
export const defineShow =
  (verb: ListVerb, argument: { readonly name: string; readonly about: string }, help: HelpText): Define =>
  (command, run) => {
    addHelp(command, help);
    addTeamOption(command.argument(`[${argument.name}]`, argument.about)).action(
      run(async (session, name: string | undefined, options: TeamOption) =>
        show(session, { verb, team: await findTeam(session, options) }, name),
      ),
    );
  };
