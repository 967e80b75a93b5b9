import type { Define } from '../../command.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { duration, jobId } from '../../support/options.ts';
import type { Session } from '../../support/session.ts';
import { latestJob } from './latest-job.ts';
import { waitForJob } from './wait-for-job.ts';

const help: HelpText = {
  details: `
Without an id: the job added last. Exits with the job’s own exit code; 124 when it ran into its timeout, 127 when it
could not be started, 128 and the signal’s number when it was killed. With --timeout: 5 when that passes first.`,
  examples: ['trigger queue wait 7 && echo it went well', 'trigger queue wait --timeout 10m 7'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .argument('[id]', 'the job', jobId)
    .option('--timeout <duration>', 'wait no longer than this', duration)
    .action(run(wait));
};

const wait = async (session: Session, given: number | undefined, options: { timeout?: number }): Promise<number> =>
  waitForJob(session, given ?? (await latestJob(session, 'added')), options.timeout);
