/** A ULID that the client makes; the same for every attempt of one request. */
export type RequestId = string;

/**
 * One worker's part of a request. Mirror and serial send one id to several workers, and one daemon may run several of
 * those. What runs once is all three together: somebody else's request of the same id is another one, so that nobody gets
 * at the output of others by their ids.
 */
export interface RequestRun {
  readonly id: RequestId;
  /** `team/identity` of the worker that it came to. */
  readonly worker: string;
  /** `identity@team`: recorded with the job, never authority. */
  readonly user: string;
}
