import type { DeadLettersBody, DeadLettersView } from '../../../api/contract/trigger-files.ts';
import { TriggerdError } from '../../../domain/errors.ts';
import type { Define } from '../../command.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { print } from '../../support/print.ts';

/** A verb for the dead letters of one trigger file, or of all; says of how many. */
export const defineDeadLetters =
  (verb: 'replay' | 'purge', done: string, help: HelpText): Define =>
  (command, run) => {
    addHelp(command, help);
    command
      .argument('[file]', 'trigger file from `queue --files`, such as /alarms/disk')
      .option('--all', 'all trigger files, also deleted ones')
      .action(
        run(async (session, file: string | undefined, { all }: { readonly all?: boolean }) => {
          if ((file === undefined) === (all !== true))
            throw new TriggerdError('usage', `queue ${verb} needs a trigger file, or --all`);
          const body: DeadLettersBody = file === undefined ? {} : { path: file };
          const path = `/v1/trigger-files/${verb}`;
          const view = await session.client.request<DeadLettersView>(path, { method: 'POST', body });
          if (!session.json) session.terminal.err(`${done}: ${view.messages}\n`);
          await print(session, view, () => '');
          return 0;
        }),
      );
  };
