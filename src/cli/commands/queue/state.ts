import type { JobView } from '../../../api/contract/jobs.ts';
import type { Define } from '../../command.ts';
import { addHelp } from '../../support/help.ts';
import { jobId } from '../../support/options.ts';
import { print } from '../../support/print.ts';
import { latestJob } from './latest-job.ts';

export const define: Define = (command, run) => {
  addHelp(command, { examples: ['trigger queue state', 'test "$(trigger queue state 7)" = finished'] });
  command.argument('[id]', 'ID of the job (default: the one added last)', jobId).action(
    run(async (session, given: number | undefined) => {
      const id = given ?? (await latestJob(session, 'added'));
      const job = await session.client.request<JobView>(`/v1/jobs/${id}`);
      await print(session, job, () => job.state);
      return 0;
    }),
  );
};
