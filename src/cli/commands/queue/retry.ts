import type { Define } from '../../command.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { jobId } from '../../support/options.ts';
import { doToJob } from './job-verb.ts';

/** Prints the new job's id, as `add` does. */
const help: HelpText = {
  examples: ['trigger queue retry 7'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command.argument('<id>', 'ID of the job', jobId).action(
    run(async (session, id: number) => {
      await doToJob(session, 'retry', id, (job) => String(job.id));
      return 0;
    }),
  );
};
