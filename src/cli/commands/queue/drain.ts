import type { QueueView } from '../../../api/contract/queues.ts';
import type { Define } from '../../command.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { duration, query } from '../../support/options.ts';
import { print } from '../../support/print.ts';
import { startProgress } from '../../support/progress.ts';
import type { Session } from '../../support/session.ts';
import { addQueueOption, type QueueOption, queuePath } from './queue-option.ts';

type Options = QueueOption & { readonly timeout?: number };

const help: HelpText = {
  details: `
The queue accepts no jobs while it drains. Ctrl-C and a timeout end the draining: the queue accepts jobs again.`,
  examples: ['trigger queue drain --timeout 10m && reboot'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  addQueueOption(command).option('--timeout <duration>', 'maximum time to wait', duration).action(run(drain));
};

const drain = async (session: Session, { queue, timeout }: Options): Promise<number> => {
  const progress = startProgress(session.terminal, (elapsedS) => `draining ${queue ?? 'default'} · ${elapsedS} s`);
  try {
    const path = `${queuePath(queue, 'drain')}${query({ timeout_ms: timeout })}`;
    const view = await session.client.request<QueueView>(path, { method: 'POST', patient: true });
    progress.stop();
    await print(session, view, () => '');
    return 0;
  } finally {
    progress.stop();
  }
};
