import type {
  FinishedJob,
  Job,
  JobId,
  JobRequest,
  ListedJob,
  QueuedJob,
  RunningJob,
  SkippedJob,
} from '../domain/job.ts';
import type { RequestRun } from '../domain/request.ts';
import type { InMemoryJob, KillReason } from './in-memory/in-memory-jobs.ts';
import type { Acceptance, DecidedFiring, JobFilter, NewJob } from './ports/journal.ts';
import type { Ending } from './transitions.ts';
import type { Offered, OfferTerms } from './verbs/add.ts';
import type { KeptOutput, QueueSummary } from './verbs/look.ts';
import type { TspJob, TspOrder } from './verbs/tsp.ts';

/** The queue room's face: what the control API, the watcher and the daemon use. */
export interface Queues {
  /** Takes up the journal's state after a restart: adopts running jobs, then starts. */
  start(): Promise<void>;
  /** Starts nothing more; running jobs continue and are adopted by the next start. */
  stop(): Promise<void>;

  add(request: JobRequest): QueuedJob;
  /** As `add`, unless the terms and a queued job make it unnecessary. */
  offer(request: JobRequest, terms: OfferTerms): Offered;
  jobFor(request: JobRequest): NewJob;
  take(firings: readonly DecidedFiring[]): Acceptance[];

  /** What `trigger tsp` sees of a queue; see verbs/tsp.ts. */
  readonly tsp: {
    add(request: JobRequest, order: TspOrder): ListedJob;
    list(queue: string): TspJob[];
    clear(queue: string): void;
    hide(queue: string, number: number): void;
    restart(queue: string, slots: number | undefined): void;
  };

  /** Throws `job-not-found`. */
  get(id: JobId): Job;
  find(id: JobId): Job | undefined;
  list(filter: JobFilter): ListedJob[];
  summary(): QueueSummary[];

  /** Slots of this queue that could take a job at once. */
  free(queue: string): number;
  /** Called when `free` may have grown. Returns the unsubscriber. */
  onFree(queue: string, listener: () => void): () => void;
  /** Starts a job that does not wait: undefined when no slot is free. Throws `plugin-*`. */
  startNow(request: JobRequest): RunningJob | undefined;
  /** The same for a request to a persistent plugin, in memory. `command` is what `Plugins.checkCall` gave. */
  startInMemory(request: JobRequest, command: string): InMemoryJob | undefined;
  /** The output of a job that has it not in files, of what is there now; undefined for any other job. */
  keptOutput(id: JobId): KeptOutput | undefined;
  /** A request that is in memory: it runs, or is not in the journal yet. */
  findRun(run: RequestRun): InMemoryJob | undefined;

  /** `why` becomes the job's result, if it ends by this kill. */
  kill(id: JobId, why?: KillReason): Promise<RunningOrEnded>;
  remove(id: JobId): SkippedJob;
  /** Ends a queued job that has lost its purpose. */
  skip(id: JobId, reason: string): SkippedJob;
  /** Ends a queued job: a run that triggerd did not start has done what it would do. Throws `job-state`. */
  satisfy(id: JobId, ending: Ending): FinishedJob;
  makeUrgent(id: JobId): QueuedJob;
  swap(a: JobId, b: JobId): void;
  /** A new job with the same request as an ended one. */
  retry(id: JobId): QueuedJob;
  /** Forgets ended jobs of a queue (of all queues without a name); returns how many. */
  clear(queue?: string): number;
  pause(queue: string): void;
  resume(queue: string): void;
  /** Takes no new job and resolves when queued and running ones have ended, then takes jobs again; `signal` gives up. */
  drain(queue: string, signal: AbortSignal): Promise<void>;
  slots(queue: string): number;
  setSlots(queue: string, slots: number): void;
  waitFor(id: JobId, signal: AbortSignal): Promise<FinishedJob | SkippedJob>;

  /** Called after every change of a job's state, once it is in the journal. Returns the unsubscriber. */
  onChange(listener: (job: Job) => void): () => void;
  /** Called for each request that ran in memory, once it is in the journal: `onChange` is not. Returns the unsubscriber. */
  onRecorded(listener: (job: FinishedJob) => void): () => void;
}

export type RunningOrEnded = Job;
