/**
 * Requests from the bus as jobs. One that is taken has a slot and runs at once, or is given back: what waits, waits at
 * the broker. What has run once is remembered by the journal, so it never runs twice.
 */
import { isUtf8 } from 'node:buffer';
import { hasEnded, type Job, type JobId, type JobRequest, plainRequest } from '../../domain/job.ts';
import type { RequestRun } from '../../domain/request.ts';
import type { Log } from '../../kit/log.ts';
import { readRecorded } from '../../queue/in-memory/in-memory-output.ts';
import type { Journal, RequestLog } from '../../queue/ports/journal.ts';
import type { OutputReader } from '../../queue/ports/output-reader.ts';
import type { Plugins } from '../../queue/ports/plugins.ts';
import type { Queues } from '../../queue/queues.ts';
import type { RequestJobs, RequestListener, WorkerRequest } from '../request-jobs.ts';
import { type Followed, type Follower, followJob, recall } from './follow-job.ts';

export const requestQueue = 'requests';

export interface RequestJobsOptions {
  readonly queues: Pick<
    Queues,
    'free' | 'onFree' | 'startNow' | 'startInMemory' | 'kill' | 'find' | 'findRun' | 'waitFor'
  >;
  readonly plugins: Pick<Plugins, 'checkCall'>;
  readonly requests: RequestLog;
  readonly journal: Pick<Journal, 'recordedOutput'>;
  readonly reader: OutputReader;
  readonly proofs: RequestProofs;
  readonly log: Log;
}

export interface ClosableRequestJobs extends RequestJobs {
  /** Ends running requests as `interrupted`; resolves when all have ended. */
  close(reason: string): Promise<void>;
}

interface RunningRequest {
  readonly run: RequestRun;
  readonly followed: Followed;
}

export const createRequestJobs = (options: RequestJobsOptions): ClosableRequestJobs => {
  const { queues, plugins, requests, proofs, log } = options;
  const running = new Map<string, RunningRequest>();
  const followers = new Map<string, Map<RequestListener, Follower>>();

  /** Follows once for each listener, however often it is called. */
  const listen = (run: RequestRun, listener: RequestListener, follow: () => Follower): void => {
    const key = keyOf(run);
    const ofRun = followers.get(key) ?? new Map<RequestListener, Follower>();
    if (ofRun.has(listener)) return;
    const follower = follow();
    followers.set(key, ofRun.set(listener, follower));
    void follower.over.then(() => {
      ofRun.delete(listener);
      if (ofRun.size === 0) followers.delete(key);
    });
  };

  const begin = (request: WorkerRequest): Followed | undefined => {
    const asked = jobRequestOf(request);
    const command = plugins.checkCall(asked);
    if (command !== undefined) return queues.startInMemory(asked, command);
    const job = queues.startNow(asked);
    return job && followedOf(options, job);
  };

  /** The proof is kept before the job is planned, and stays only if the job has begun. */
  const beginWithProof = (run: RequestRun, request: WorkerRequest): Followed | undefined => {
    if (request.proof === undefined) return begin(request);
    proofs.keep(run, request.proof);
    let followed: Followed | undefined;
    try {
      followed = begin(request);
    } finally {
      if (followed === undefined) proofs.drop(run);
    }
    return followed;
  };

  const start = (request: WorkerRequest, listener: RequestListener): 'started' | 'no-slot' => {
    const run = { id: request.id, worker: request.worker, user: request.user };
    const followed = beginWithProof(run, request);
    if (followed === undefined) return 'no-slot';
    const key = keyOf(run);
    running.set(key, { run, followed });
    void followed.over.then(() => {
      running.delete(key);
      proofs.drop(run);
    });
    listen(run, listener, () => followJob(followed, listener, log));
    return 'started';
  };

  const follow = (run: RequestRun, listener: RequestListener): boolean => {
    const present = running.get(keyOf(run))?.followed ?? queues.findRun(run);
    if (present !== undefined) {
      listen(run, listener, () => followJob(present, listener, log));
      return true;
    }
    const logged = requests.find(run);
    if (logged === undefined) return false;
    const job = queues.find(logged.jobId);
    listen(run, listener, () =>
      job === undefined ? recall(logged, listener) : followJob(followedOf(options, job), listener, log),
    );
    return true;
  };

  const kill = (jobId: JobId, kind: 'killed' | 'interrupted', reason: string): Promise<void> =>
    queues.kill(jobId, { kind, reason }).then(
      () => undefined,
      (thrown: unknown) => log.warn({ error: thrown, job: jobId }, 'Cannot kill the job of a request'),
    );

  return {
    free: () => queues.free(requestQueue),
    onFree: (listener) => queues.onFree(requestQueue, listener),
    start: (request, listener) => (follow(request, listener) ? 'known' : start(request, listener)),
    follow,
    unfollow: (run, listener) => {
      const ofRun = followers.get(keyOf(run));
      ofRun?.get(listener)?.stop();
      ofRun?.delete(listener);
    },
    cancel: (run, reason) => {
      const present = running.get(keyOf(run));
      if (present !== undefined) void kill(present.followed.id, 'killed', reason);
    },
    running: () => [...running.values()].map(({ run }) => run),
    close: async (reason) => {
      const present = [...running.values()].map(({ followed }) => followed);
      await Promise.all(present.map(({ id }) => kill(id, 'interrupted', reason)));
      await Promise.all(present.map(({ over }) => over));
    },
  };
};

/** Follows a job of the journal. */
const followedOf = ({ queues, journal, reader }: RequestJobsOptions, job: Job): Followed => {
  const recorded = job.outputIn === 'journal' ? journal.recordedOutput(job.id) : undefined;
  return {
    id: job.id,
    over: hasEnded(job) ? Promise.resolve(job) : queues.waitFor(job.id, never),
    read: (sink) =>
      recorded === undefined ? reader.read(job.folder, hasEnded(job), sink) : readRecorded(recorded, sink),
  };
};

/** For a wait without end. */
const never = new AbortController().signal;

export type RequestProofs = ReturnType<typeof createRequestProofs>;

/**
 * What jobs of requests that run may ask others with, in memory only: a journal is copied, shown and kept for months. A
 * job that is not here any more (of an earlier daemon, or run again by hand) has none.
 */
export const createRequestProofs = () => {
  const byRun = new Map<string, string>();
  return {
    keep: (run: RequestRun, proof: string): void => void byRun.set(keyOf(run), proof),
    of: (run: RequestRun): string | undefined => byRun.get(keyOf(run)),
    drop: (run: RequestRun): void => void byRun.delete(keyOf(run)),
  };
};

const keyOf = ({ id, worker, user }: RequestRun): string => `${worker}/${user}/${id}`;

const jobRequestOf = (request: WorkerRequest): JobRequest => {
  const { id, worker, service, chain, ttl, plugin, args, payload, timeoutMs, user, behalf } = request;
  return {
    ...plainRequest,
    queue: requestQueue,
    plugin,
    args,
    ...payloadOf(payload),
    timeoutMs,
    source: 'request',
    user,
    origin: { id, worker, user, service, chain, ttl, ...(behalf === undefined ? {} : { behalf }) },
  };
};

const payloadOf = (bytes: Buffer): Pick<JobRequest, 'payload' | 'payloadEncoding'> =>
  isUtf8(bytes)
    ? { payload: bytes.toString('utf8') }
    : { payload: bytes.toString('base64'), payloadEncoding: 'base64' };
