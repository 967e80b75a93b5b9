import type { JobId } from './job.ts';
import type { RequestId } from './request.ts';

/** What lists show of a request. */
export interface RequestHeading {
  readonly id: RequestId;
  readonly team: string;
  readonly user: string;
  readonly service: string;
  /** The service's team; another one than the user's when it is public. */
  readonly service_team: string;
  readonly plugin: string;
  /** The beginning of the payload as text, 200 characters at most. */
  readonly command: string;
  readonly received_at: string;
}

/** What the history keeps of a request, in etcd; the whole output is on the worker. */
export interface RequestRecord extends RequestHeading {
  readonly finished_at: string;
  readonly result: string;
  readonly exit_code: number | null;
  readonly reason: string | null;
  readonly legs: readonly RequestLeg[];
  /** Who asked for it on behalf of `user`, from inside jobs, as `identity@team`; missing: `user` asked. */
  readonly through?: readonly string[] | undefined;
}

export interface RequestLeg {
  readonly worker: string;
  readonly node: string | null;
  /** The worker's own job id: `trigger queue cat ID` there. */
  readonly job_id: JobId | null;
  readonly result: string;
  readonly exit_code: number | null;
  readonly reason: string | null;
  readonly ran_ms: number | null;
  readonly output_bytes: number;
  readonly output_tail: string;
  /** Bytes of the tail, where it is not UTF-8. */
  readonly output_tail_base64?: string | undefined;
}
