import type { Define } from '../../command.ts';
import { jobId } from '../../options.ts';
import { print } from '../../print.ts';

export const define: Define = (command, run) => {
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
