/**
 * The one job model: whatever arrives at a node becomes a job in a queue there, and every job ends.
 *
 *     queued ──start──► running ──end──► finished(result)
 *       │ ▲               │
 *       │ └────defer──────┘        the run did not really happen (agent lock held, agent disabled): still owed
 *       ├──satisfy──► finished       a run that triggerd has not started did the same meanwhile
 *       └──remove/expire/refuse──► skipped(reason)
 *
 * A queued job may carry a deferral: it is passed over until what it waits for is gone.
 */
import type { FiringId } from './firing.ts';
import type { JobResult } from './result.ts';

export type JobId = number;

/** Words that a command may have at most. */
export const maxWords = 10_000;

/** Slots that a queue may have at most. */
export const maxSlots = 1024;

/** What is asked for when a job enters a queue. Pure data: the journal keeps it as JSON. */
export interface JobRequest {
  readonly queue: string;
  readonly plugin: string;
  /** Arguments of the plugin's process; with plugin `command` the command itself. */
  readonly argv: readonly string[];
  /** Named arguments, `TRIGGER_ARG_<NAME>` in the plugin. */
  readonly args: Readonly<Record<string, string>>;
  /** Environment on top of the fixed base. */
  readonly env: Readonly<Record<string, string>>;
  /** Working folder; null is the plugin's default (`/`). */
  readonly cwd: string | null;
  /** The plugin's standard input; null is empty. */
  readonly payload: string | null;
  /** How `payload` is written here; missing: as it is. Bytes that are no UTF-8 come in base64. */
  readonly payloadEncoding?: 'base64';
  readonly noop: boolean;
  readonly label: string | null;
  /** Null: the plugin's own timeout, if it has one. */
  readonly timeoutMs: number | null;
  /** Start only after this job has ended, however it ended. */
  readonly after: JobId | null;
  /** Start only after all of these have succeeded; skipped as soon as one has not. */
  readonly ifOk?: readonly JobId[];
  /** ms since the epoch: start no sooner. */
  readonly notBefore?: number;
  /** A queue has one queued job of a key, unless a deferral brought a second one back. */
  readonly key?: string;
  readonly urgent: boolean;
  /** Standard error goes to a file of its own, `output.err`. */
  readonly stderrApart?: true;
  /** The output file is compressed with gzip; a separate stderr file is not. */
  readonly gzip?: true;
  /** Slots of its queue that it takes while it runs; missing: one. One that asks for more than there are takes all. */
  readonly slots?: number;
  /** Program that is told of its end, as a job of its own: with its id, exit code, output file and command as arguments. */
  readonly onFinish?: string;
  /** The job whose end this one tells of. */
  readonly tellsOf?: JobId;
  readonly tsp?: TspFacts;
  readonly source: JobSource;
  /** The user who added it with `trigger`; missing for other sources. */
  readonly user?: string;
  /**
   * `[watch] run_cmd` in words, as it was when the job was accepted: what a Puppet job without `argv` runs. Missing where
   * `argv` says it, and in a journal of before.
   */
  readonly runCommand?: readonly string[];
  /** With source `request`: the request that it is for. */
  readonly origin?: RequestOrigin;
}

/** A job that asks for nothing special: what most sources begin with. */
export const plainRequest = {
  queue: 'default',
  argv: [],
  args: {},
  env: {},
  cwd: null,
  payload: null,
  noop: false,
  label: null,
  timeoutMs: null,
  after: null,
  urgent: false,
} as const satisfies Partial<JobRequest>;

/** One worker's part of a request that came over the bus. */
export interface RequestOrigin {
  /** ULID; the same for every worker that the request was given to. */
  readonly id: string;
  /** `team/identity` of the worker. */
  readonly worker: string;
  /** `identity@team` of who asked. */
  readonly user: string;
  readonly service: string;
  /** Ids of the requests and firings that led to this request, oldest first. */
  readonly chain: readonly string[];
  /** Hops that may follow. */
  readonly ttl: number;
  /** `identity@team` of those on whose behalf `user` asked, the first one first; missing: nobody. */
  readonly behalf?: readonly string[];
}

export type JobSource = 'firing' | 'cli' | 'request' | 'message';

/** Why a queued job is passed over, and the files whose change makes it worth another look. */
export interface Deferral {
  readonly reason: string;
  readonly paths: readonly string[];
  readonly since: number;
}

/** Seconds, as task-spooler prints them: wall clock, user and system CPU time of the whole tree that was waited for. */
export interface JobTimes {
  readonly realS: number;
  readonly userS: number;
  readonly systemS: number;
}

/** Facts that a plugin or driver adds to a result, e.g. `{ puppet: { changed: 4, … } }`. Small; goes into the outcome. */
export type ResultDetails = Readonly<Record<string, unknown>>;

/** What `trigger tsp` needs of a job that it has added. */
export interface TspFacts {
  /** Grows with each `tsp -K`: jobs of earlier ones are not shown. */
  readonly epoch: number;
  /** The job's number as tsp counts: from 0 in each epoch. */
  readonly number: number;
  /** The words of the command, as tsp shows them. */
  readonly command: string;
  /** Whether its output is for the list (false: `-n`), and whether it stays in the list after its end (false: `-nf`). */
  readonly stored: boolean;
  readonly kept: boolean;
  /** The number of the job whose success it needs; −1: one that is not shown. */
  readonly needs: number | null;
}

/** What tsp calls the error level: exit codes from 128 on are negative, as is what has none. */
export const tspLevel = (exitCode: number | null): number => (exitCode === null ? -1 : (exitCode << 24) >> 24);

interface JobCommon {
  readonly id: JobId;
  readonly request: JobRequest;
  /** The command as `trigger queue` shows it. */
  readonly command: string;
  /** The firings that this job satisfies; empty for other sources. */
  readonly firings: readonly FiringId[];
  /** Counts starts: 0 until the first one. */
  readonly attempt: number;
  /** Folder of the job's files (`output`, `status.json`, …). */
  readonly folder: string;
  /** Where the output is, if not in `folder`: requests to persistent plugins are too short for files. */
  readonly outputIn?: 'memory' | 'journal';
  /** ms since the epoch. */
  readonly enqueuedAt: number;
}

export type QueuedJob = JobCommon & { readonly state: 'queued'; readonly deferral: Deferral | null };
export type RunningJob = JobCommon & { readonly state: 'running'; readonly startedAt: number };
export type FinishedJob = JobCommon & {
  readonly state: 'finished';
  /** Null when it never started (`failed-to-start` before a process existed). */
  readonly startedAt: number | null;
  readonly finishedAt: number;
  readonly result: JobResult;
  readonly times: JobTimes;
  readonly details: ResultDetails;
};
export type SkippedJob = JobCommon & {
  readonly state: 'skipped';
  readonly finishedAt: number;
  readonly reason: string;
};

/** What a list has of a job: without what may be large, and with a command that ends in `…` where it was cut. */
export type ListedJob = Listed<QueuedJob> | Listed<RunningJob> | Listed<FinishedJob> | Listed<SkippedJob>;
type Listed<Kind extends JobCommon> = Omit<Kind, 'request'> & {
  readonly request: Omit<JobRequest, 'argv' | 'args' | 'env' | 'payload'>;
};

export type Job = QueuedJob | RunningJob | FinishedJob | SkippedJob;
export type JobState = Job['state'];

export const hasEnded = (job: Job): job is FinishedJob | SkippedJob =>
  job.state === 'finished' || job.state === 'skipped';
