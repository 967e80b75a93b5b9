import type { JobId } from '../domain/job.ts';
import type { RequestRun } from '../domain/request.ts';
import type { JobResult } from '../domain/result.ts';

/** A request as a job: what the broker sent, checked by the worker. */
export interface WorkerRequest extends RequestRun {
  readonly service: string;
  readonly plugin: string;
  readonly args: Readonly<Record<string, string>>;
  readonly payload: Buffer;
  readonly timeoutMs: number | null;
  readonly chain: readonly string[];
  readonly ttl: number;
  /** `identity@team` of those on whose behalf `user` asks. */
  readonly behalf?: readonly string[];
  /** Sealed: what the job may ask others with. Never written to the journal. */
  readonly proof?: string;
}

/** Receives the output and the end of a running request. It is called only after the call that it was given to has returned. */
export interface RequestListener {
  /** Output as it comes, from the first byte. Resolves when more may come: a slow reader slows the reading of the file, not the job. */
  output(chunk: { readonly stream: 'out' | 'err'; readonly bytes: Buffer }): Promise<void>;
  /** Exactly once, after the last output. */
  ended(outcome: FinishedRequest): void;
}

export interface FinishedRequest {
  readonly jobId: JobId | null;
  readonly result: JobResult;
  readonly ranMs: number | null;
  readonly outputBytes: number;
  /** The last `historyTailBytes` of it. */
  readonly outputTail: Buffer;
}

/**
 * Requests as jobs of the queue `requests`. An id runs once here for each worker, also after a restart of the daemon, for
 * as long as ids are remembered.
 */
export interface RequestJobs {
  /** Slots that could start a request at once: 0 while the queue is paused or drains. */
  free(): number;
  onFree(listener: () => void): () => void;
  /**
   * Starts it now, or says that no slot is free. A run that is known is not done again: its listener hears the output
   * from the first byte, and the end. Throws `plugin-*`, `request-invalid` for what could never run.
   */
  start(request: WorkerRequest, listener: RequestListener): 'started' | 'known' | 'no-slot';
  /** The listener hears all of it if this was ever started here. */
  follow(run: RequestRun, listener: RequestListener): boolean;
  /** Removes the listener; the job continues. */
  unfollow(run: RequestRun, listener: RequestListener): void;
  /** Kills the whole tree: TERM, then KILL. */
  cancel(run: RequestRun, reason: string): void;
  /** Running requests. */
  running(): readonly RequestRun[];
}
