import type { Define } from '../../command.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { print } from '../../support/print.ts';
import { addQueueOption, type QueueOption, queuePath } from './queue-option.ts';

const help: HelpText = {
  examples: ['trigger queue clear', 'trigger queue clear --all'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  addQueueOption(command)
    .option('--all', 'delete the jobs of all queues')
    .action(
      run(async (session, { queue, all }: QueueOption & { readonly all?: boolean }) => {
        const path = queuePath(all === true ? '*' : queue, 'clear');
        const answer = await session.client.request<{ cleared: number }>(path, { method: 'POST' });
        if (!session.json) session.terminal.err(`ended jobs deleted: ${answer.cleared}\n`);
        await print(session, answer, () => '');
        return 0;
      }),
    );
};
