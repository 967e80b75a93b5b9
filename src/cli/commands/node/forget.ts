import type { ForgetBody, ForgottenView } from '../../../api/contract/nodes.ts';
import type { Define } from '../../command.ts';
import { askingUser } from '../../support/asking-user.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { print } from '../../support/print.ts';

const help: HelpText = {
  details: `
Use this for a node that will not come back: all work owed to it ends as skipped. If the node comes back, it joins as a new
one.`,
  examples: ['trigger node forget lb03.example.com'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .argument('<node>', 'name of the node')
    .option('--force', 'also while its daemon runs')
    .action(
      run(async (session, name: string, { force }: { readonly force?: boolean }) => {
        const body: ForgetBody = { user: askingUser(session.env), ...(force === undefined ? {} : { force }) };
        const path = `/v1/nodes/${encodeURIComponent(name)}/forget`;
        const forgotten = await session.client.request<ForgottenView>(path, { method: 'POST', body, patient: true });
        if (!session.json) session.terminal.err(`firings cancelled on it: ${forgotten.ended}\n`);
        await print(session, forgotten, () => '');
        return 0;
      }),
    );
};
