import type { Firing, FiringId } from '../../domain/firing.ts';
import type {
  Deferral,
  FinishedJob,
  Job,
  JobId,
  JobRequest,
  JobSource,
  ListedJob,
  QueuedJob,
  RunningJob,
  SkippedJob,
} from '../../domain/job.ts';
import type { RequestRun } from '../../domain/request.ts';

/**
 * Where jobs are kept. Every method that writes is one durable transaction: when it returns, the change is on disk.
 * All throw `journal-failed` when the disk refuses; nothing has changed then.
 */
export interface Journal {
  /** Puts a job at the end of its queue (at its head when urgent). */
  add(entry: NewJob): QueuedJob;
  /**
   * Journals firings with what this node has decided on each, in this order and in one transaction. What satisfies a
   * firing is the queued job with the same coalescing key if there is one, else a new job. One that is already in the
   * journal changes nothing.
   */
  take(firings: readonly DecidedFiring[]): Acceptance[];
  /** As `add`, at the place of a queued job, whose dependents wait for this one; the old one is skipped. */
  replace(old: JobId, entry: NewJob): { readonly job: QueuedJob; readonly replaced: SkippedJob };
  /** The first queued job of this queue with this key. */
  queuedWithKey(queue: string, key: string): JobId | undefined;
  /** Queued jobs that wait for the success of one that did not succeed, and why; so many at most. */
  hopeless(limit: number): { readonly id: JobId; readonly reason: string }[];
  /** When the next delayed job may start; undefined when there is none. ms. */
  nextDelayed(): number | undefined;
  /** Ends the delay of those whose time has come; gives the names of their queues. */
  releaseDelayed(now: number): string[];
  get(id: JobId): Job | undefined;
  /** In the order in which `trigger queue` shows them: ended, running, queued in queue order; or a page by id. */
  list(filter: JobFilter): ListedJob[];
  /** How many jobs of a queue are in a state; with `sources` only those that came from one of them. */
  count(queue: string, state: Job['state'], sources?: readonly JobSource[]): number;
  /** The first queued job whose `after` job has ended and that is not deferred. */
  head(queue: string): QueuedJob | undefined;
  /** Names of the queues that hold a job that has not ended. */
  queuesInUse(): string[];
  running(): RunningJob[];
  deferred(): QueuedJob[];
  /** Where the files of this job lie, if it has any. */
  folderOf(id: JobId): string;
  /** Gives away so many ids, for `record`; returns the first. */
  reserveIds(count: number): JobId;
  /**
   * (new) → finished: requests that ran in memory, under reserved ids, in one transaction. All ids and results are
   * remembered; only the newest `whole` of these become jobs of the journal, and of all such the newest `keep` stay.
   */
  record(ended: readonly EndedRecord[], limits: { readonly keep: number; readonly whole: number }): void;
  /** The output of a job that `record` wrote with it. */
  recordedOutput(id: JobId): RecordedOutput | undefined;
  /** queued → running; counts the attempt. */
  start(id: JobId, at: number): RunningJob;
  /** (new) → running: the job of a request, which never waits; its id is remembered from now on. */
  begin(entry: NewJob): RunningJob;
  /** running → finished. */
  finish(
    id: JobId,
    ending: Pick<FinishedJob, 'finishedAt' | 'result' | 'times' | 'details' | 'startedAt'>,
  ): FinishedJob;
  /** queued → finished: a run that is not ours did what the job would have done. */
  satisfy(
    id: JobId,
    ending: Pick<FinishedJob, 'finishedAt' | 'result' | 'times' | 'details' | 'startedAt'>,
  ): FinishedJob;
  /** Does all of it in one transaction. */
  atomically<T>(work: () => T): T;
  /** running → queued at its old place, or queued → queued with a deferral; null clears it. */
  defer(id: JobId, deferral: Deferral | null): QueuedJob;
  /** running → queued at its old place: a start that demonstrably never happened. The attempt is not counted. */
  unstart(id: JobId): QueuedJob;
  /** queued → skipped. */
  skip(id: JobId, reason: string, at: number): SkippedJob;
  /** Moves a queued job to the head of its queue. */
  makeUrgent(id: JobId): QueuedJob;
  /** Swaps the places of two queued jobs. */
  swap(a: JobId, b: JobId): void;
  /** Deletes ended jobs, whole, and remembers their folders as `leftovers`; returns the jobs. */
  forgetJobs(ids: readonly JobId[]): Job[];
  /** Ended jobs that `which` lets go, oldest first; never one with a firing that is not settled in etcd. */
  retirable(which: Retirement): JobId[];
  /** Forgets the ids of requests that came before `at` (ms), and those that so many later ones have pushed out. */
  forgetRequests(at: number): void;
  /** Folders of forgotten jobs that are still to be deleted: also those that a crash left behind. */
  leftovers(limit: number): string[];
  dropLeftovers(folders: readonly string[]): void;
  queueSettings(queue: string): StoredQueueSettings;
  saveQueueSettings(queue: string, settings: StoredQueueSettings): void;
  /** A small text that outlives a restart; undefined: there is none of this name. */
  note(name: string): string | undefined;
  saveNote(name: string, text: string): void;
}

/** Ended jobs beyond the newest `keep`, or ended before `endedBefore` (ms); at most `limit`, of one queue or of all. */
export interface Retirement {
  readonly keep: number;
  readonly endedBefore: number;
  readonly limit: number;
  readonly queue?: string;
  /** Only requests, or only what is none; `keep` is then of those. */
  readonly requests?: boolean;
}

export interface EndedRecord {
  readonly job: FinishedJob;
  /** Null: it is in the job's folder. */
  readonly output: RecordedOutput | null;
}

export interface RecordedOutput {
  readonly bytes: Buffer;
  /** Which of them came from which stream, in order. */
  readonly index: readonly (readonly ['out' | 'err', number])[];
}

/** Characters of a command in a list, unless the filter says otherwise. */
export const listedCommandLength = 4096;

export interface JobFilter {
  readonly queue?: string;
  readonly states?: readonly Job['state'][];
  /** Newest ended jobs shown at most. */
  readonly endedLimit?: number;
  /** Queued jobs shown at most: the next ones. */
  readonly queuedLimit?: number;
  /** So many jobs in the order of their ids, and no other order or limit; from the oldest on. */
  readonly limit?: number;
  /** With `limit`: only those beyond this one. */
  readonly afterId?: JobId;
  /** With `limit`: from the newest on. */
  readonly newestFirst?: boolean;
  readonly commandLength?: number;
}

interface StoredQueueSettings {
  readonly paused: boolean;
  /** Null: as configured. */
  readonly slots: number | null;
}

/** The firings side of the journal. */
export interface FiringLog {
  find(id: FiringId): LoggedFiring | undefined;
  ofJob(id: JobId): LoggedFiring[];
  /** Firings whose last published stage is not final, oldest first. */
  unsettledIds(): FiringId[];
  /** What etcd has by now, all in one transaction: `<stage>/<attempt>` by firing. */
  markPublished(stages: Readonly<Record<FiringId, string>>): void;
  cursor(): Cursor | undefined;
  saveCursor(cursor: Cursor): void;
  /** Forgets settled firings that were received before this time and whose ids are from before it, too; how many. */
  forgetBefore(at: number): number;
  /** The largest id that was ever forgotten; null when none was. */
  forgottenUpTo(): FiringId | null;
}

export interface LoggedFiring {
  readonly firing: Firing;
  readonly receivedAt: number;
  /** Null when this node ended the firing without a job; then `refusal` says why. */
  readonly jobId: JobId | null;
  readonly refusal: string | null;
  /** The stage that etcd has, `<stage>/<attempt>`; null before the first. */
  readonly published: string | null;
}

/** How far this node has read its inbox: the next revision that it still needs, of which cluster. */
export interface Cursor {
  readonly clusterId: string;
  readonly revision: bigint;
}

/** A firing with the job that would satisfy it, or with the reason why this node ends it without one. */
export type DecidedFiring =
  | { readonly firing: Firing; readonly job: NewJob }
  | { readonly firing: Firing; readonly refusal: string; readonly at: number };

/** What became of a decided firing in the journal. */
export type Acceptance =
  | { readonly kind: 'queued'; readonly job: QueuedJob }
  /** Only the id: a job may gather very many firings, and reading it anew with each would make a burst quadratic. */
  | { readonly kind: 'coalesced'; readonly jobId: JobId }
  | { readonly kind: 'refused' }
  | { readonly kind: 'known'; readonly logged: LoggedFiring };

export interface NewJob {
  readonly request: JobRequest;
  readonly command: string;
  /** Firings with the same key share one queued job; null never shares. */
  readonly coalescingKey: string | null;
  readonly at: number;
}

/** Which requests have run here. Ids outlive their jobs: a request that comes again is answered, not run again. */
export interface RequestLog {
  find(run: RequestRun): LoggedRequest | undefined;
}

export interface LoggedRequest {
  readonly jobId: JobId;
  /** Null while it runs. */
  readonly ending: Pick<FinishedJob, 'result' | 'times'> | null;
}
