import type { JobSource, JobState, TspFacts } from '../../domain/job.ts';
import type { ResultKind } from '../../domain/result.ts';

export const outputFromHeader = 'x-output-from';

export interface JobView {
  readonly id: number;
  readonly queue: string;
  readonly state: JobState;
  readonly result: ResultKind | null;
  readonly exit_code: number | null;
  readonly signal: string | null;
  /** Why it is deferred, was skipped, failed to start or was interrupted. */
  readonly reason: string | null;
  readonly deferred: boolean;
  readonly label: string | null;
  readonly plugin: string;
  readonly command: string;
  /** Path of the output file on the daemon's machine. Null: in no file of its own, as with requests to persistent plugins; `trigger queue cat` shows it. */
  readonly output: string | null;
  /** Path of the file that holds stderr; null: it is in the output. A daemon of before knows nothing of it. */
  readonly stderr?: string | null;
  /** Slots that it takes. */
  readonly slots?: number;
  /** Program that is told of its end. */
  readonly on_finish?: string | null;
  /** The job whose end this one tells of. */
  readonly tells_of?: number | null;
  /** Of a job that `trigger tsp` has added. */
  readonly tsp?: TspFacts | null;
  /** Process that leads the job, where it runs as one; only of a single job. */
  readonly pid?: number | null;
  readonly firings: readonly string[];
  readonly source: JobSource;
  /** Who added it by hand; null where nobody did, or it is not known. */
  readonly user: string | null;
  readonly noop: boolean;
  readonly attempt: number;
  readonly after: number | null;
  /** Jobs that must succeed first. A daemon of before knows nothing of this and of the next two. */
  readonly if_ok?: readonly number[];
  /** It starts no sooner; null: no such time. */
  readonly not_before?: string | null;
  readonly key?: string | null;
  readonly timeout_ms: number | null;
  readonly enqueued_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  /** Seconds; null until finished. */
  readonly times: { readonly real: number; readonly user: number; readonly system: number } | null;
  readonly details: Readonly<Record<string, unknown>>;
  /** What `wait`, `cat` and `tail` exit with; null until ended. */
  readonly wait_exit_code: number | null;
}

/** A queue as `trigger tsp` sees it: its own jobs; running and queued ones, then those that have ended. */
export interface TspView {
  readonly slots: number;
  /** Slots that are taken. */
  readonly busy: number;
  readonly jobs: readonly JobView[];
}

export interface NewJobBody {
  readonly queue?: string;
  readonly plugin?: string;
  readonly argv?: readonly string[];
  readonly args?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly payload?: string;
  readonly label?: string;
  readonly timeout_ms?: number;
  readonly after?: number;
  /** It starts only after all of these have succeeded, and is skipped as soon as one has not. */
  readonly if_ok?: readonly number[];
  readonly delay_ms?: number;
  readonly stderr_apart?: boolean;
  /** The output file is compressed as by gzip. */
  readonly gzip?: boolean;
  /** For `trigger tsp`; `needs` is the number of a job, and makes `if_ok` of it. */
  readonly tsp?: Pick<TspFacts, 'command' | 'stored' | 'kept'> & { readonly needs?: number | 'previous' };
  /** Slots that the job takes; default 1. */
  readonly slots?: number;
  /** Program that is told of the job's end: a job at the head of the same queue with id, exit code, output file and command. */
  readonly on_finish?: string;
  /** A queued job of this queue with the same key makes way for this one (`replace`, the default), or is kept instead. */
  readonly key?: string;
  readonly on_key?: 'replace' | 'keep';
  /** Not added when a queued job of this queue would do the same. */
  readonly unless_queued?: boolean;
  readonly urgent?: boolean;
  readonly noop?: boolean;
  /** Name of the user who adds it. */
  readonly user?: string;
}
