import type { JobView } from '../../../api/contract/jobs.ts';
import type { DaemonClient } from '../../support/http-client.ts';
import { query } from '../../support/options.ts';

const pageLength = 500;

export interface WhichJobs {
  readonly queue?: string | undefined;
  /** Separated by commas. */
  readonly state?: string;
  /** Characters of the commands. */
  readonly command?: number;
}

/** All jobs of all queues, or of one, oldest first, however many there are. */
export async function* jobPages(client: DaemonClient, which: WhichJobs): AsyncGenerator<readonly JobView[]> {
  let after: number | undefined;
  do {
    const page = await client.request<JobView[]>(`/v1/jobs${query({ ...which, limit: pageLength, after })}`);
    yield page;
    after = page.length < pageLength ? undefined : page.at(-1)?.id;
  } while (after !== undefined);
}
