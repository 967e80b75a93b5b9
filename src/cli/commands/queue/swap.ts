import type { Define } from '../../command.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { jobId } from '../../support/options.ts';
import { print } from '../../support/print.ts';

const help: HelpText = {
  examples: ['trigger queue swap 8 9'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .argument('<a>', 'a queued job', jobId)
    .argument('<b>', 'another queued job', jobId)
    .action(
      run(async (session, a: number, b: number) => {
        const jobs = await session.client.request('/v1/jobs/swap', { method: 'POST', body: { a, b } });
        await print(session, jobs, () => '');
        return 0;
      }),
    );
};
