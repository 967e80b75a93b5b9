import type { Define } from '../../command.ts';
import { rawHelp } from '../../command-lines/triggerfs-client.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { Interrupted } from '../../support/interrupted.ts';
import { countFrom0, jobId } from '../../support/options.ts';
import type { Session } from '../../support/session.ts';
import { followOutput, type OutputChoice, refuseJson, stderrHelp } from './follow-output.ts';
import { latestJob } from './latest-job.ts';

const help: HelpText = {
  details: `
Without an ID: the job that runs, or ran last. Ctrl-C ends the output; the job continues. Exits with the job’s exit code.`,
  examples: ['trigger queue tail', 'trigger queue tail -n 50 7'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .argument('[id]', 'ID of the job', jobId)
    .option('-n, --lines <number>', 'number of last lines to start with', countFrom0, 10)
    .option('--raw', rawHelp)
    .option('--stderr', stderrHelp)
    .action(run(tail));
};

const tail = async (session: Session, given: number | undefined, options: OutputChoice): Promise<number> => {
  refuseJson(session);
  const id = given ?? (await latestJob(session, 'started'));
  try {
    return await followOutput(session, id, options);
  } catch (error) {
    if (error instanceof Interrupted) session.terminal.err(`\ntrigger: job ${id} continues\n`);
    throw error;
  }
};
