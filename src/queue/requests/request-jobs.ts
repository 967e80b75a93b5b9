/**
 * Requests from the bus as jobs. One that is taken has a slot and runs at once, or is given back: what waits, waits at
 * the broker. The journal remembers each pair of request and worker, so none runs twice.
 */
import { isUtf8 } from 'node:buffer';
import type { RequestJobs, RequestListener, RequestRun, WorkerRequest } from '../../bus/ports.ts';
import type { JobId, JobRequest } from '../../domain/job.ts';
import type { Log } from '../../domain/log.ts';
import type { RequestLog } from '../ports.ts';
import type { Queues } from '../queues.ts';
import { type Follower, followJob, recall } from './follow-job.ts';
import type { OutputReader } from './ports.ts';

export const requestQueue = 'requests';

export interface RequestJobsOptions {
  readonly queues: Pick<Queues, 'free' | 'onFree' | 'startNow' | 'kill' | 'find' | 'waitFor'>;
  readonly requests: RequestLog;
  readonly reader: OutputReader;
  readonly log: Log;
}

export interface RequestRoom extends RequestJobs {
  /** Ends what runs as `interrupted`; resolves when all of it has ended. */
  close(reason: string): Promise<void>;
}

interface RunningRequest {
  readonly run: RequestRun;
  readonly jobId: JobId;
}

export const createRequestJobs = (options: RequestJobsOptions): RequestRoom => {
  const { queues, requests, log } = options;
  const running = new Map<string, RunningRequest>();
  const followers = new Map<string, Map<RequestListener, Follower>>();

  /** Once for each listener, however often it is asked for. */
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

  const begin = (request: WorkerRequest, listener: RequestListener): 'started' | 'no-slot' => {
    const job = queues.startNow(jobRequestOf(request));
    if (job === undefined) return 'no-slot';
    const run = { id: request.id, worker: request.worker, user: request.user };
    running.set(keyOf(run), { run, jobId: job.id });
    void queues.waitFor(job.id, never).then(() => running.delete(keyOf(run)));
    listen(run, listener, () => followJob(options, job, listener));
    return 'started';
  };

  const follow = (run: RequestRun, listener: RequestListener): boolean => {
    const logged = requests.find(run);
    if (logged === undefined) return false;
    const job = queues.find(logged.jobId);
    listen(run, listener, () => (job === undefined ? recall(logged, listener) : followJob(options, job, listener)));
    return true;
  };

  const kill = (jobId: JobId, kind: 'killed' | 'interrupted', reason: string): Promise<void> =>
    queues.kill(jobId, { kind, reason }).then(
      () => undefined,
      (thrown: unknown) => log.warn({ error: thrown, job: jobId }, 'The job of a request could not be killed.'),
    );

  return {
    free: () => queues.free(requestQueue),
    onFree: (listener) => queues.onFree(requestQueue, listener),
    start: (request, listener) => (follow(request, listener) ? 'known' : begin(request, listener)),
    follow,
    unfollow: (run, listener) => {
      const ofRun = followers.get(keyOf(run));
      ofRun?.get(listener)?.stop();
      ofRun?.delete(listener);
    },
    cancel: (run, reason) => {
      const jobId = running.get(keyOf(run))?.jobId;
      if (jobId !== undefined) void kill(jobId, 'killed', reason);
    },
    running: () => [...running.values()].map(({ run }) => run),
    close: async (reason) => {
      const jobs = [...running.values()].map(({ jobId }) => jobId);
      await Promise.all(jobs.map((id) => kill(id, 'interrupted', reason)));
      await Promise.all(jobs.map((id) => queues.waitFor(id, never)));
    },
  };
};

/** Of a wait that nothing gives up. */
const never = new AbortController().signal;

const keyOf = ({ id, worker, user }: RequestRun): string => `${worker}/${user}/${id}`;

const jobRequestOf = (request: WorkerRequest): JobRequest => {
  const { id, worker, service, chain, ttl, plugin, args, payload, timeoutMs, user } = request;
  return {
    queue: requestQueue,
    plugin,
    argv: [],
    args,
    env: {},
    cwd: null,
    ...payloadOf(payload),
    noop: false,
    label: null,
    timeoutMs,
    after: null,
    urgent: false,
    source: 'request',
    user,
    origin: { id, worker, user, service, chain, ttl },
  };
};

const payloadOf = (bytes: Buffer): Pick<JobRequest, 'payload' | 'payloadEncoding'> =>
  isUtf8(bytes)
    ? { payload: bytes.toString('utf8') }
    : { payload: bytes.toString('base64'), payloadEncoding: 'base64' };
