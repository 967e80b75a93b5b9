import type { Firing, FiringId } from '../domain/firing.ts';
import type {
  Deferral,
  FinishedJob,
  Job,
  JobId,
  JobRequest,
  JobSource,
  JobTimes,
  ListedJob,
  QueuedJob,
  RequestOrigin,
  ResultDetails,
  RunningJob,
  SkippedJob,
} from '../domain/job.ts';
import type { JobResult } from '../domain/result.ts';

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

/** Which requests have run here. Ids outlive their jobs: a request that comes again is answered, not run again. */
export interface RequestLog {
  find(run: RequestRun): LoggedRequest | undefined;
}

/** What runs once: the same id of another user is another request. */
export type RequestRun = Pick<RequestOrigin, 'id' | 'worker' | 'user'>;

export interface LoggedRequest {
  readonly jobId: JobId;
  /** Null while it runs. */
  readonly ending: Pick<FinishedJob, 'result' | 'times'> | null;
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

export interface NewJob {
  readonly request: JobRequest;
  readonly command: string;
  /** Firings with the same key share one queued job; null never shares. */
  readonly coalescingKey: string | null;
  readonly at: number;
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

export interface StoredQueueSettings {
  readonly paused: boolean;
  /** Null: as configured. */
  readonly slots: number | null;
}

/** What to start for a job: a complete description, no shell. */
export interface LaunchPlan {
  /** Program (absolute, or found on the base PATH) and its arguments. */
  readonly argv: readonly [string, ...string[]];
  /** The whole environment of the process. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin: string | null;
  /** How `stdin` is written here; missing: as it is. */
  readonly stdinEncoding?: 'base64';
  readonly timeoutMs: number | null;
  /** Between TERM and KILL. */
  readonly graceMs: number;
  /** Bytes of output kept in the file; what exceeds it is counted, and its last part kept. */
  readonly maxOutputBytes: number;
  /** Standard error goes to `output.err`, which has the same limit. */
  readonly stderrApart?: true;
  /** Written as the file that `TRIGGERD_CONTEXT` names. */
  readonly context: string;
  /** Written as the file that `TRIGGERD_PROOF` names, which only the job's user can read, and deleted at the end. */
  readonly proof?: string;
  readonly limits?: JobLimits;
  /** What happens to processes that outlive the first one; missing: `wait`. */
  readonly leftovers?: LeftoversRule;
  readonly terms?: RunTerms;
  /** With a plugin whose one process does many jobs: what it is asked to do. Then the rest is for nobody. */
  readonly call?: PersistentCall;
}

/** A plugin of mode `persistent`, as it was found. The same object as long as nothing of it has changed. */
export interface PersistentProgram {
  readonly plugin: string;
  readonly executable: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: JobLimits;
  /** Jobs that one process takes at once. */
  readonly concurrency: number;
  /** Between a `cancel`, or TERM, and KILL. */
  readonly graceMs: number;
}

/** One job for a persistent plugin. */
export interface PersistentCall {
  readonly program: PersistentProgram;
  readonly id: JobId;
  readonly args: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
  readonly payload: string | null;
  readonly payloadEncoding?: 'base64';
  /** A JSON document. */
  readonly context: string;
  readonly timeoutMs: number | null;
  readonly maxOutputBytes: number;
  readonly terms: RunTerms;
}

/** The processes of persistent plugins. */
export interface PersistentPool {
  /** Gives the call to a process that has room for it, or to a new one. Nothing is told before this has returned. */
  run(call: PersistentCall, listener: CallListener): RunningCall;
  /** Stops all processes, which interrupts what they do; resolves when they are gone. */
  close(): Promise<void>;
}

export interface CallListener {
  output(stream: 'out' | 'err', bytes: Buffer): void;
  /** Exactly once, after the last output. */
  ended(end: CallEnd): void;
}

export type CallEnd =
  | { readonly kind: 'exited'; readonly code: number; readonly cause: RunEnding['cause'] }
  /** Its process is gone before it has said `exit`. */
  | { readonly kind: 'interrupted'; readonly cause: RunEnding['cause']; readonly reason: string }
  /** There is no process for it. */
  | { readonly kind: 'not-started'; readonly cause: RunEnding['cause']; readonly reason: string };

export interface RunningCall {
  /** Asks the plugin to end it, and after a grace ends the process, with all that it does. */
  kill(): void;
}

/**
 * When a job's first process has ended and others that it started have not: the job is over when all have ended (`wait`), it is over
 * and they live on (`leave`), or they are stopped (`kill`).
 */
export type LeftoversRule = 'wait' | 'leave' | 'kill';

/** Processes that outlived a job's first one. */
export interface Leftovers {
  readonly fate: 'left' | 'killed';
  readonly total: number;
  /** The first ten. `name` is the kernel's, at most 15 bytes: a whole command line may hold secrets. */
  readonly processes: readonly { readonly pid: number; readonly name: string }[];
  /** The unit of systemd that holds those that were left. */
  readonly unit?: string;
}

/** What a job may use; undefined: as much as the system gives. */
export interface JobLimits {
  readonly memoryBytes?: number | undefined;
  /** Processes and threads. */
  readonly processes?: number | undefined;
  /** Of each process. */
  readonly openFiles?: number | undefined;
  /** Processor time of each process. */
  readonly cpuMs?: number | undefined;
}

/**
 * What the end of a run is judged by, as it was at the start: by the end the plugin may be gone or another one (the run
 * may itself upgrade triggerd), and the configuration may have changed. The runner gives it back with the ending.
 */
export interface RunTerms {
  readonly driver: string;
  readonly successExitCodes: readonly number[];
  /** Missing in a plan of before. */
  readonly retryExitCodes?: readonly number[];
  /** The command line as started. */
  readonly argv: readonly string[];
}

/** What a runner saw. Facts only; `Plugins.conclude` makes a result of them. */
export interface RunEnding {
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly times: JobTimes;
  readonly exit:
    | { readonly kind: 'exited'; readonly code: number }
    | { readonly kind: 'signalled'; readonly signal: string }
    | { readonly kind: 'not-started'; readonly reason: string };
  /** Why it ended, first reason wins. */
  readonly cause: 'itself' | 'timeout' | 'kill';
  readonly outputBytes: number;
  /** How often the job met a limit, where the system counts that; undefined: never, or it does not. */
  readonly exceeded?: LimitEvents;
  /** What lived on, or was killed, when the job's first process had ended by itself; undefined: nothing, or the job waited for it. */
  readonly leftovers?: Leftovers;
  /** The plan's; undefined from a runner that knew none, e.g. one of an older triggerd. */
  readonly terms?: RunTerms;
}

/** Of a cgroup, since it was made. */
export interface LimitEvents {
  /** Processes that the kernel has killed for want of memory. */
  readonly outOfMemory: number;
  /** Processes and threads that could not be started. */
  readonly refusedForks: number;
}

/**
 * Runs jobs so that they outlive the daemon. The daemon holds nothing of a running job: everything is in the job's
 * folder (`claim`, `output`, `output.idx`, `status.json`).
 */
export interface Runner {
  /**
   * Starts the plan; resolves when the job is over (its process group or cgroup is empty, or the plan's `leftovers` says so). Never rejects for the job's
   * own failure: `never-started` and `lost` mean what they mean for `adopt`, when a runner dies under a living daemon.
   * Rejects (`state-unusable`, `internal`) when the system refuses what it needs; then `adopt` says whether it was started.
   */
  run(folder: string, plan: LaunchPlan): Promise<RunEnding | 'never-started' | 'lost'>;
  /**
   * After a restart of the daemon, for a job that the journal calls running: waits for it if it runs, reads how it ended
   * if it has, and says `never-started` (making sure that it never will be) or `lost` (its runner died, e.g. by a reboot).
   */
  adopt(folder: string): Promise<RunEnding | 'never-started' | 'lost'>;
  /** TERM to everything the job started, KILL after the plan's grace. Resolves when asked, not when over. */
  kill(folder: string): Promise<void>;
  /** Deletes the folder of a forgotten job. */
  discard(folder: string): Promise<void>;
  /** Lets idle runners end; running jobs go on without us. */
  close(): Promise<void>;
}

export type Verdict =
  | { readonly kind: 'result'; readonly result: JobResult; readonly details: ResultDetails }
  | { readonly kind: 'deferred'; readonly deferral: Omit<Deferral, 'since'> };

/** What plugins know: how to start a job, what is in its way, and what its end means. */
export interface Plugins {
  /** Refuses (`plugin-*` errors) what could never run, before it enters a queue; returns the command as shown. */
  check(request: JobRequest): string;
  /** With what the configuration adds to it written down: the job does that, whatever the configuration says by then. */
  settled(request: JobRequest): JobRequest;
  /** Something in the way of this job right now, e.g. Puppet's agent lock; null: go. */
  obstacle(job: Job): Promise<Omit<Deferral, 'since'> | null>;
  prepare(job: Job): Promise<LaunchPlan>;
  /**
   * For a request to a persistent plugin: what `check` does, by what was found on the disk a moment ago. Undefined for
   * any other plugin.
   */
  checkCall(request: JobRequest): string | undefined;
  /** What a job asks of its persistent plugin; of those that `checkCall` knows. */
  call(job: Job): PersistentCall;
  conclude(job: Job, ending: RunEnding): Promise<Verdict>;
  /** Whether a job whose runner died with it (a reboot, say) is to be run again: its plugin's `on_restart`. */
  isRerunAfterLoss(job: Job): boolean;
}

/** Wakes us when one of the files changes or goes away; also after `atMostMs`. Returns the canceller. */
export type WatchPaths = (paths: readonly string[], onChange: () => void) => () => void;

export interface Clock {
  /** ms since the epoch. */
  now(): number;
}
