import type { JobView } from '../../../api/contract/jobs.ts';
import { TriggerdError } from '../../../domain/errors.ts';
import type { Define } from '../../command.ts';
import { addHelp } from '../../support/help.ts';
import { jobId } from '../../support/options.ts';
import { print } from '../../support/print.ts';
import { latestJob } from './latest-job.ts';

export const define: Define = (command, run) => {
  addHelp(command, { examples: ['trigger queue output', 'tail -f "$(trigger queue output 7)"'] });
  command.argument('[id]', 'ID of the job (default: the one that runs, or ran last)', jobId).action(
    run(async (session, given: number | undefined) => {
      const id = given ?? (await latestJob(session, 'started'));
      const job = await session.client.request<JobView>(`/v1/jobs/${id}`);
      await print(session, job, () => outputOf(job));
      return 0;
    }),
  );
};

const outputOf = ({ id, output }: JobView): string => {
  if (output !== null) return output;
  throw new TriggerdError(
    'input-invalid',
    `job ${id} has no output file of its own; \`trigger queue cat ${id}\` prints its output`,
  );
};
