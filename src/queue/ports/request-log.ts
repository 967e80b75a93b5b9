import type { FinishedJob, JobId } from '../../domain/job.ts';
import type { RequestRun } from '../../domain/request.ts';

/** Which requests have run here. Ids outlive their jobs: a request that comes again is answered, not run again. */
export interface RequestLog {
  find(run: RequestRun): LoggedRequest | undefined;
}

export interface LoggedRequest {
  readonly jobId: JobId;
  /** Null while it runs. */
  readonly ending: Pick<FinishedJob, 'result' | 'times'> | null;
}
