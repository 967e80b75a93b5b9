/**
 * Requests to persistent plugins are too many and too short for a transaction, a file or a process each. They run in
 * memory, in slots of their queue as any other job, and come into the journal when they have ended, many at once:
 *
 *     (request) ──start──► running ──the plugin's `exit`, or its process's end──► ended ──record, at most 100 ms later──► the journal
 *
 * So a crash of the daemon loses the records of the last moment, and whatever runs ends with it.
 */
import type { FinishedJob, JobId, JobRequest, RunningJob } from '../../domain/job.ts';
import type { RequestRun } from '../../domain/request.ts';
import { failureOf, type JobResult } from '../../domain/result.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Log } from '../../kit/log.ts';
import type { EndedRecord, Journal } from '../ports/journal.ts';
import type { OutputReading, OutputSink } from '../ports/output-reader.ts';
import type { Plugins } from '../ports/plugins.ts';
import type { CallExit, PersistentPool, RunningCall } from '../ports/runner.ts';
import { InMemoryOutput, type InMemoryOutputOptions } from './in-memory-output.ts';

/** What the result of a killed job says instead of `killed` alone. */
export type KillReason = { readonly kind: 'killed' | 'interrupted'; readonly reason: string };

export interface InMemoryJobsOptions extends InMemoryOutputOptions, Omit<GroupCommitOptions, 'onRecorded'> {
  readonly journal: Pick<Journal, 'reserveIds' | 'record' | 'folderOf'>;
  readonly pool: PersistentPool;
  readonly plugins: Pick<Plugins, 'call' | 'conclude'>;
  readonly clock: Clock;
  /** Once it can be read in the journal. */
  readonly onRecorded: (job: FinishedJob) => void;
}

export type InMemoryJobs = ReturnType<typeof createInMemoryJobs>;

/** Ids are reserved in blocks: each costs a transaction. */
const idBlock = 256;

export const createInMemoryJobs = (options: InMemoryJobsOptions) => {
  const byId = new Map<JobId, InMemoryJob>();
  const byRun = new Map<string, InMemoryJob>();
  const ids = { next: 0, end: 0 };
  const commit = createGroupCommit({
    ...options,
    onRecorded: (job) => {
      forget(byId.get(job.id));
      options.onRecorded(job);
    },
  });

  const forget = (run: InMemoryJob | undefined): void => {
    if (run === undefined) return;
    byId.delete(run.id);
    const { origin } = run.job.request;
    if (origin !== undefined && byRun.get(runKey(origin)) === run) byRun.delete(runKey(origin));
  };

  const nextId = (): JobId => {
    if (ids.next === ids.end) {
      ids.next = options.journal.reserveIds(idBlock);
      ids.end = ids.next + idBlock;
    }
    ids.next += 1;
    return ids.next - 1;
  };

  /** Throws `plugin-*`, `journal-failed`. */
  const start = (request: JobRequest, command: string): InMemoryJob => {
    const id = nextId();
    const now = options.clock.now();
    const run = new InMemoryJob(options, commit, {
      id,
      request,
      command,
      firings: [],
      attempt: 1,
      folder: options.journal.folderOf(id),
      outputIn: 'memory',
      enqueuedAt: now,
      state: 'running',
      startedAt: now,
    });
    byId.set(id, run);
    if (request.origin !== undefined) byRun.set(runKey(request.origin), run);
    return run;
  };

  return {
    start,
    find: (id: JobId): InMemoryJob | undefined => byId.get(id),
    findRun: (run: RequestRun): InMemoryJob | undefined => byRun.get(runKey(run)),
    /** All of one queue, or of all queues. */
    list: (queue?: string): InMemoryJob[] =>
      [...byId.values()].filter(({ job }) => queue === undefined || job.request.queue === queue),
    /** False for one that is not running here. */
    kill: (id: JobId, why?: KillReason): boolean => byId.get(id)?.kill(why) ?? false,
    /** What has ended is in the journal when this returns, if the disk lets it. */
    flush: (): void => commit.flush(),
  };
};

const runKey = ({ id, worker, user }: RequestRun): string => `${worker}/${user}/${id}`;

/** A job in memory: it runs, or has ended and is not in the journal yet. */
export class InMemoryJob {
  readonly id: JobId;
  job: RunningJob | FinishedJob;
  /** Resolves when it has ended, which may be a moment before the journal has it. */
  readonly over: Promise<FinishedJob>;
  readonly #options: InMemoryJobsOptions;
  readonly #commit: GroupCommit;
  readonly #output: InMemoryOutput;
  #call: RunningCall | undefined;
  readonly #startedMono = performance.now();
  readonly #successExitCodes: readonly number[];
  readonly #retryExitCodes: readonly number[];
  #why: KillReason | undefined;
  #isOver: (job: FinishedJob) => void = () => undefined;

  constructor(options: InMemoryJobsOptions, commit: GroupCommit, job: RunningJob) {
    this.id = job.id;
    this.job = job;
    this.#options = options;
    this.#commit = commit;
    this.over = new Promise((resolve) => {
      this.#isOver = resolve;
    });
    const call = options.plugins.call(job);
    this.#successExitCodes = call.terms.successExitCodes;
    this.#retryExitCodes = call.terms.retryExitCodes ?? [];
    this.#output = new InMemoryOutput(options, job.folder, call.maxOutputBytes);
    this.#call = options.pool.run(call, {
      output: (stream, bytes) => this.#output.write(stream, bytes),
      ended: (end) => this.#end(job, end),
    });
  }

  read(sink: OutputSink): OutputReading {
    return this.#output.read(sink);
  }

  kill(why: KillReason | undefined): boolean {
    if (this.job.state !== 'running') return false;
    this.#why ??= why;
    this.#call?.kill();
    return true;
  }

  #end(job: RunningJob, end: CallExit): void {
    this.#output.close();
    this.#call = undefined;
    const output = this.#output.recorded();
    const realS = (performance.now() - this.#startedMono) / 1000;
    const finishedAt = this.#options.clock.now();
    const { id, request, command, firings, attempt, folder, enqueuedAt } = job;
    // Field by field: there are thousands in a second, and what JavaScript copies by `...` it keeps in a slow form.
    const inFiles: FinishedJob = {
      id,
      request,
      command,
      firings,
      attempt,
      folder,
      enqueuedAt,
      state: 'finished',
      startedAt: end.kind === 'not-started' ? null : job.startedAt,
      finishedAt,
      result: this.#resultOf(end),
      times: { realS, userS: 0, systemS: 0 },
      details: {},
    };
    const ended: FinishedJob = output === null ? inFiles : { ...inFiles, outputIn: 'memory' };
    this.job = ended;
    this.#commit.add({ job: ended, output } satisfies EndedRecord);
    this.#isOver(ended);
  }

  #resultOf(end: CallExit): JobResult {
    if (end.cause === 'timeout') return { kind: 'timed-out' };
    if (end.cause === 'kill') return this.#killed(end);
    if (end.kind === 'not-started') return { kind: 'failed-to-start', reason: end.reason };
    if (end.kind === 'interrupted') return { kind: 'interrupted', reason: end.reason };
    const { code: exitCode } = end;
    if (this.#successExitCodes.includes(exitCode)) return { kind: 'succeeded', exitCode };
    return failureOf(exitCode, this.#retryExitCodes);
  }

  #killed(end: CallExit): JobResult {
    if (this.#why?.kind === 'interrupted') return { kind: 'interrupted', reason: this.#why.reason };
    const signal = end.kind === 'exited' ? 'SIGTERM' : 'SIGKILL';
    return { kind: 'killed', signal, ...(this.#why === undefined ? {} : { reason: this.#why.reason }) };
  }
}

interface GroupCommitOptions {
  readonly journal: Pick<Journal, 'record'>;
  /** Ended jobs with their output here that are kept. */
  readonly keep: number;
  readonly log: Log;
  readonly onRecorded: (job: FinishedJob) => void;
}

type GroupCommit = ReturnType<typeof createGroupCommit>;

const windowMs = 100;
/** Of more than these in one window, the oldest are remembered by their ids and results alone. */
const maxWhole = 100;
/** While the disk refuses. */
const retryMs = 1000;
/** Records that wait for a disk which refuses them; beyond, the oldest are given up. */
const maxWaiting = 20_000;

/** Gathers ended jobs and journals them together; `flush` does it now. */
const createGroupCommit = ({ journal, keep, log, onRecorded }: GroupCommitOptions) => {
  let waiting: EndedRecord[] = [];
  let timer: NodeJS.Timeout | undefined;
  let hasFailed = false;

  const giveUpOldest = (): void => {
    const givenUp = waiting.splice(0, waiting.length - maxWaiting);
    for (const { job } of givenUp) onRecorded(job);
    if (givenUp.length > 0)
      log.error({ count: givenUp.length }, 'Records of requests are lost: the journal refuses them');
  };

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0) return;
    try {
      journal.record(waiting, { keep, whole: maxWhole });
      if (hasFailed) log.info({}, 'Requests are journalled again');
      hasFailed = false;
    } catch (thrown) {
      if (!hasFailed) log.error({ error: thrown }, 'Cannot journal ended requests; retrying');
      hasFailed = true;
      giveUpOldest();
      timer = setTimeout(flush, retryMs).unref();
      return;
    }
    const recorded = waiting;
    waiting = [];
    for (const { job } of recorded) onRecorded(job);
  };

  return {
    add: (record: EndedRecord): void => {
      waiting.push(record);
      timer ??= setTimeout(flush, windowMs);
    },
    flush,
  };
};
