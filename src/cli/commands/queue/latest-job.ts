import type { JobView } from '../../../api/contract.ts';
import { TriggerdError } from '../../../domain/errors.ts';
import type { Session } from '../../session.ts';

/**
 * The job that is meant when none is named, as in tsp: for output the one that runs, or ran last; for waiting the last
 * one added. Only of the queue `default`.
 */
export const latestJob = async (session: Session, prefer: 'started' | 'added'): Promise<number> => {
  const jobs = await session.client.request<JobView[]>('/v1/jobs?queue=default&ended=1');
  const byId = [...jobs].sort((a, b) => b.id - a.id);
  const job =
    prefer === 'added'
      ? byId[0]
      : (byId.find(({ state }) => state === 'running') ?? byId.find(({ state }) => state !== 'queued'));
  if (job === undefined) throw new TriggerdError('job-not-found', 'no job was named, and the queue has none');
  return job.id;
};
