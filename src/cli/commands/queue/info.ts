import type { JobView } from '../../../api/contract/jobs.ts';
import type { Define } from '../../command.ts';
import { renderJobInfo } from '../../render/job-info.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { jobId } from '../../support/options.ts';
import { print } from '../../support/print.ts';
import { latestJob } from './latest-job.ts';

const help: HelpText = {
  examples: ['trigger queue info', 'trigger queue info 7 --json | jq .times'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command.argument('[id]', 'ID of the job (default: the one that runs, or ran last)', jobId).action(
    run(async (session, given: number | undefined) => {
      const id = given ?? (await latestJob(session, 'started'));
      const job = await session.client.request<JobView>(`/v1/jobs/${id}`);
      await print(session, job, () => renderJobInfo(job, Date.now()));
      return 0;
    }),
  );
};
