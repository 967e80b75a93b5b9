import type { AdoptedView, ForgetBody, ForgottenView } from '../../api/contract/nodes.ts';
import type { Verbs } from '../command.ts';
import { askingUser, printDone } from '../support/session.ts';

export const verbs: Verbs = {
  adopt: {
    summary: 'give a node’s name to another machine',
    details: `
Run this on a new machine that replaces another one under the same name: it then gets the name without waiting. On any
other node, the command frees the name for the next daemon that asks for it. Refused while a daemon with this name is up.`,
    examples: ['trigger node adopt lb01.example.com'],
    define: (command, run) =>
      command.argument('<node>', 'name of the node').action(
        run(async (session, name: string) => {
          const path = `/v1/nodes/${encodeURIComponent(name)}/adopt`;
          const adopted = await session.client.request<AdoptedView>(path, { method: 'POST' });
          await printDone(session, adopted, `${adopted.node}: another machine may take this name now`);
        }),
      ),
  },
  forget: {
    summary: 'cancel work owed to a node that will not come back',
    details: `
Use this for a node that will not come back: all work owed to it ends as skipped. If the node comes back, it joins as a new
one.`,
    examples: ['trigger node forget lb03.example.com'],
    define: (command, run) =>
      command
        .argument('<node>', 'name of the node')
        .option('--force', 'also while its daemon runs')
        .action(
          run(async (session, name: string, { force }: { readonly force?: boolean }) => {
            const body: ForgetBody = { user: askingUser(session.env), ...(force === undefined ? {} : { force }) };
            const path = `/v1/nodes/${encodeURIComponent(name)}/forget`;
            const call = { method: 'POST', body, patient: true } as const;
            const forgotten = await session.client.request<ForgottenView>(path, call);
            await printDone(session, forgotten, `firings cancelled on it: ${forgotten.ended}`);
          }),
        ),
  },
};
