import { type JobView, outputFromHeader } from '../../api/contract/jobs.ts';
import { TriggerdError } from '../../domain/errors.ts';
import { formatDuration } from '../../kit/duration.ts';
import { Interrupted } from '../support/interruption.ts';
import { query } from '../support/options.ts';
import { startProgress } from '../support/progress.ts';
import { print, type Session } from '../support/session.ts';
import { outletsOf } from '../support/terminal.ts';
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

export interface OutputChoice {
  /** Begins with so many of the last lines. */
  readonly lines?: number;
  readonly raw?: boolean | undefined;
  /** Of a job that keeps stderr apart: that. */
  readonly stderr?: boolean | undefined;
}

/**
 * Streams a job's output to stdout until the job has ended, also through a restart of the daemon: no byte twice, none
 * left out. Gives the job's own exit code.
 */
export const followOutput = async (
  session: Session,
  id: number,
  { lines, raw, stderr }: OutputChoice,
): Promise<number> => {
  const { client } = session;
  const { out } = outletsOf(session.terminal, { raw });
  let from: number | undefined;
  let ended: number | null = null;
  const follow = throughRestarts(session, async (heard) => {
    const before = await client.request<JobView>(`/v1/jobs/${id}`);
    heard();
    ended = before.wait_exit_code;
    const start = from === undefined ? { lines } : { from };
    const { headers, chunks } = await client.stream(
      `/v1/jobs/${id}/output${query({ follow: 1, ...start, stream: stderr ? 'err' : undefined })}`,
    );
    from = Number(headers[outputFromHeader] ?? 0);
    for await (const chunk of chunks) {
      await out(chunk);
      from += chunk.length;
    }
    return client.request<JobView>(`/v1/jobs/${id}/wait`, { patient: true });
  });
  try {
    return (await follow).wait_exit_code ?? 1;
  } catch (error) {
    // `trigger queue cat 7 | head`: how the job ended is known.
    if (ended !== null && session.interruption.isReaderGone()) return ended;
    throw error;
  }
};
