import type { Define } from '../../command.ts';
import { rawHelp } from '../../command-lines/triggerfs-client.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { jobId } from '../../support/options.ts';
import { followOutput, type OutputChoice, refuseJson, stderrHelp } from './follow-output.ts';
import { latestJob } from './latest-job.ts';

const help: HelpText = {
  details: `
Without an ID: the job that runs, or ran last. Waits until the job has ended, and exits with the job’s exit code, as
\`tsp -c\` does.`,
  examples: ['trigger queue cat', 'trigger queue cat 7 > output.txt'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .argument('[id]', 'ID of the job', jobId)
    .option('--raw', rawHelp)
    .option('--stderr', stderrHelp)
    .action(
      run(async (session, id: number | undefined, choice: Pick<OutputChoice, 'raw' | 'stderr'>) => {
        refuseJson(session);
        return followOutput(session, id ?? (await latestJob(session, 'started')), choice);
      }),
    );
};
