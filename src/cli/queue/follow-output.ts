import { type JobView, outputFromHeader } from '../../api/contract/jobs.ts';
import { query } from '../support/options.ts';
import type { Session } from '../support/session.ts';
import { outletsOf } from '../support/terminal.ts';
import { throughRestarts } from '../support/through-restarts.ts';

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
