import type { Define } from '../../command.ts';
import { jobId } from '../../options.ts';
import { followOutput, refuseJson } from './follow-output.ts';
import { latestJob } from './latest-job.ts';

const help = `
Without an id: the job that runs, or ran last. Waits for the end of a job that has not ended, and exits with the job’s
own exit code, as \`tsp -c\` does.`;

export const define: Define = (command, run) => {
  command
    .argument('[id]', 'the job', jobId)
    .addHelpText('after', help)
    .action(
      run(async (session, id: number | undefined) => {
        refuseJson(session);
        return followOutput(session, id ?? (await latestJob(session, 'started')));
      }),
    );
};
