import type { JobView } from '../../../api/contract.ts';
import { formatDuration } from '../../../domain/duration.ts';
import { TriggerdError } from '../../../domain/errors.ts';
import type { Define } from '../../command.ts';
import { addHelp, type HelpText } from '../../help.ts';
import { Interrupted } from '../../interrupted.ts';
import { duration, jobId } from '../../options.ts';
import { print } from '../../print.ts';
import { startProgress } from '../../progress.ts';
import type { Session } from '../../session.ts';
import { throughRestarts } from '../../through-restarts.ts';
import { withinTime } from '../../within-time.ts';
import { latestJob } from './latest-job.ts';

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

const wait = async (session: Session, given: number | undefined, options: { timeout?: number }): Promise<number> => {
  const id = given ?? (await latestJob(session, 'added'));
  const progress = startProgress(session.terminal, (elapsedS) => `waiting for job ${id} · ${elapsedS} s`);
  try {
    const work = (signal: AbortSignal) => throughRestarts(session, untilEnded(session, id, signal), { signal });
    const job = await withinTime(session, options.timeout, work, () => timedOut(id, options.timeout ?? 0));
    progress.stop();
    if (session.json) await print(session, job, () => '');
    return job.wait_exit_code ?? 1;
  } catch (error) {
    progress.stop();
    if (error instanceof Interrupted) session.terminal.err(`trigger: job ${id} goes on\n`);
    throw error;
  }
};

const untilEnded =
  ({ client }: Session, id: number, signal: AbortSignal) =>
  async (heard: () => void): Promise<JobView> => {
    const now = await client.request<JobView>(`/v1/jobs/${id}`, { signal });
    heard();
    if (now.wait_exit_code !== null) return now;
    return client.request<JobView>(`/v1/jobs/${id}/wait`, { patient: true, signal });
  };

const timedOut = (id: number, timeoutMs: number): TriggerdError =>
  new TriggerdError('timed-out', `after ${formatDuration(timeoutMs)} job ${id} has not ended`, { details: { id } });
