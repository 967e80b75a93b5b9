import type { JobView } from '../../../api/contract.ts';
import { query } from '../../options.ts';
import type { Session } from '../../session.ts';

/** Streams a job's output to stdout until the job has ended; gives the job's own exit code. */
export const followOutput = async (session: Session, id: number, lines?: number): Promise<number> => {
  const before = await session.client.request<JobView>(`/v1/jobs/${id}`);
  // Should the reader of a pipe go away, this is what we end with.
  if (before.wait_exit_code !== null) process.exitCode = before.wait_exit_code;
  for await (const chunk of await session.client.stream(`/v1/jobs/${id}/output${query({ follow: 1, lines })}`))
    await session.terminal.out(chunk);
  const job = await session.client.request<JobView>(`/v1/jobs/${id}/wait`, { patient: true });
  return job.wait_exit_code ?? 1;
};
