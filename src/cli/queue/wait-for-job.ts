import type { JobView } from '../../api/contract/jobs.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { formatDuration } from '../../kit/duration.ts';
import { Interrupted } from '../support/interrupted.ts';
import { print } from '../support/print.ts';
import { startProgress } from '../support/progress.ts';
import type { Session } from '../support/session.ts';
import { throughRestarts, withTimeLimit } from '../support/through-restarts.ts';

/**
 * Waits until a job has ended, also through a restart of the daemon; gives the job's own exit code. With `--json` prints
 * the job. Throws `timed-out` after `timeoutMs`.
 */
export const waitForJob = async (session: Session, id: number, timeoutMs?: number): Promise<number> => {
  const progress = startProgress(session.terminal, (elapsedS) => `waiting for job ${id} · ${elapsedS} s`);
  try {
    const work = (signal: AbortSignal) => throughRestarts(session, untilEnded(session, id, signal), { signal });
    const job = await withTimeLimit(session, timeoutMs, work, () => timedOut(id, timeoutMs ?? 0));
    progress.stop();
    if (session.json) await print(session, job, () => '');
    return job.wait_exit_code ?? 1;
  } catch (error) {
    progress.stop();
    if (error instanceof Interrupted) session.terminal.err(`trigger: job ${id} continues\n`);
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
  new TriggerdError('timed-out', `job ${id} has not ended after ${formatDuration(timeoutMs)}`, { details: { id } });
