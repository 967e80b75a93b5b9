import type { Define } from '../../command.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { count } from '../../support/options.ts';
import { print } from '../../support/print.ts';
import { addQueueOption, type QueueOption, queuePath } from './queue-option.ts';

const help: HelpText = {
  examples: ['trigger queue slots', 'trigger queue slots 4 --queue backups'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  addQueueOption(command)
    .argument('[number]', 'maximum number of jobs that run at the same time', count)
    .action(
      run(async (session, slots: number | undefined, { queue }: QueueOption) => {
        const call = slots === undefined ? {} : ({ method: 'PUT', body: { slots } } as const);
        const answer = await session.client.request<{ slots: number }>(queuePath(queue, 'slots'), call);
        await print(session, answer, () => (slots === undefined ? String(answer.slots) : ''));
        return 0;
      }),
    );
};
