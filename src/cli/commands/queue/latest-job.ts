import type { JobView } from '../../../api/contract/jobs.ts';
import { query } from '../../support/options.ts';
import type { Session } from '../../support/session.ts';

/**
 * The job of the queue `default` that is meant when none is named, as in tsp: for what runs the one that runs, or ran
 * last; for waiting the last one added; for changing the queue the last one in it.
 */
export const latestJob = async ({ client }: Session, which: 'added' | 'queued' | 'started'): Promise<number> =>
  (await client.request<JobView>(`/v1/jobs/latest${query({ which })}`)).id;
