import type { QueueView } from '../../../api/contract/queues.ts';
import type { Define } from '../../command.ts';
import { addHelp } from '../../support/help.ts';
import { print } from '../../support/print.ts';
import { addQueueOption, type QueueOption, queuePath } from './queue-option.ts';

/** A verb that the daemon does to a queue; silent when it was done. */
export const defineQueueVerb =
  (verb: 'pause' | 'resume'): Define =>
  (command, run) => {
    addHelp(command, { examples: [`trigger queue ${verb}`, `trigger queue ${verb} --queue backups`] });
    addQueueOption(command).action(
      run(async (session, { queue }: QueueOption) => {
        const view = await session.client.request<QueueView>(queuePath(queue, verb), { method: 'POST' });
        await print(session, view, () => '');
        return 0;
      }),
    );
  };
