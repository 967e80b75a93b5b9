import type { JobView } from '../../../api/contract.ts';
import type { Define } from '../../command.ts';
import { jobId } from '../../options.ts';
import { print } from '../../print.ts';

/** A verb that the daemon does to one job. Silent when it was done, as tsp is; `shows` says what to print otherwise. */
export const defineJobVerb =
  (verb: 'kill' | 'remove' | 'urgent' | 'retry', shows: (job: JobView) => string = () => ''): Define =>
  (command, run) => {
    command.argument('<id>', 'the job', jobId).action(
      run(async (session, id: number) => {
        const job = await session.client.request<JobView>(`/v1/jobs/${id}/${verb}`, { method: 'POST' });
        await print(session, job, () => shows(job));
        return 0;
      }),
    );
  };
