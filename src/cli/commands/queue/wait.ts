import type { Define } from '../../command.ts';
import { addHelp, type HelpText } from '../../support/help.ts';
import { duration, jobId } from '../../support/options.ts';
import type { Session } from '../../support/session.ts';
import { latestJob } from './latest-job.ts';
import { waitForJob } from './wait-for-job.ts';

const help: HelpText = {
  details: `
Without an ID: the job added last. Exits with the job’s exit code, with 124 when its timeout ended it, with 127 when it could
not be started, and with 128 plus the signal’s number when a signal killed it. With --timeout: exits 5 when that passes
first.`,
  examples: ['trigger queue wait 7 && echo it went well', 'trigger queue wait --timeout 10m 7'],
};

export const define: Define = (command, run) => {
  addHelp(command, help);
  command
    .argument('[id]', 'ID of the job', jobId)
    .option('--timeout <duration>', 'maximum time to wait', duration)
    .action(run(wait));
};

const wait = async (session: Session, given: number | undefined, options: { timeout?: number }): Promise<number> =>
  waitForJob(session, given ?? (await latestJob(session, 'added')), options.timeout);
