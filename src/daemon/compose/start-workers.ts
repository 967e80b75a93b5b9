import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ulid } from 'ulid';
import { sealProof } from '../../adapters/crypto/proofs.ts';
import { createOutputReader } from '../../adapters/files/follow-output.ts';
import { dealerConnect } from '../../adapters/zmq/dealer.ts';
import type { ConfiguredWorker } from '../../config/configured-workers.ts';
import { harmlessNotice } from '../../config/request-plugins.ts';
import type { BrokerEndpoint } from '../../domain/broker-address.ts';
import type { Log } from '../../kit/log.ts';
import type { Releasers } from '../../kit/releasers.ts';
import { unlessAborted } from '../../kit/unless-aborted.ts';
import { withTimeout } from '../../kit/with-timeout.ts';
import { BusWorker } from '../../worker/bus-worker.ts';
import { type ClosableRequestJobs, createRequestJobs } from '../../worker/jobs/request-jobs.ts';
import type { Runtime } from './runtime.ts';
import { createWorkerLog } from './worker-log.ts';

/** The payload of a request at most: a broker whose `[broker] max_message` is larger can't send all that it takes. */
const maxFrame = 1_073_741_824;
/** How long a stop waits for requests that run; what still runs then is interrupted. ms. */
const drainMs = 30_000;
/** For the last words to runners and brokers. ms. */
const lastWordsMs = 1_000;

/** The workers of this daemon. */
export interface Workers {
  /** The brokers that are tried whatever others say. */
  connectTo(brokers: readonly BrokerEndpoint[]): void;
  /** A stop waits for no request any more. */
  hurry(): void;
}

export type WorkerParts = Pick<Runtime, 'queues' | 'journal' | 'plugins' | 'proofs'> & {
  readonly options: Pick<Runtime['options'], 'node' | 'version' | 'log'>;
};

/** Once the queues are started. The release lets what runs finish, and tells the brokers. */
export const startWorkers = (
  { queues, journal, plugins, proofs, options: { node, version, log } }: WorkerParts,
  workers: readonly ConfiguredWorker[],
  brokers: readonly BrokerEndpoint[],
  releasers: Releasers,
): Workers => {
  const jobs = createRequestJobs({
    queues,
    plugins,
    journal: journal.journal,
    requests: journal.requests,
    reader: createOutputReader(),
    proofs,
    log,
  });
  const shared = {
    ...{ brokers, jobs, instance: ulid(), node, version, log },
    whyNotAllowed: (plugin: string) => plugins.whyNotForRequests(plugin),
    connect: dealerConnect({ maxFrame, log }),
    tell: createWorkerLog(log),
  };
  if (plugins.servesHarmlessOnly()) log.warn({}, harmlessNotice);
  const unneeded = () => plugins.persistentForRequests();
  const proofsOf = ({ token }: ConfiguredWorker) => ({
    unneeded,
    seal: (proof: string) => sealProof(proof, token),
  });
  const started = workers.map((worker) => new BusWorker({ ...worker, ...shared, proofs: proofsOf(worker) }));
  for (const worker of started) worker.start();
  const hurry = new AbortController();
  releasers.push('workers', () => drain(started, jobs, log, hurry.signal));
  return {
    connectTo: (all) => {
      for (const worker of started) worker.configure(all);
    },
    hurry: () => hurry.abort(),
  };
};

const drain = async (
  workers: readonly BusWorker[],
  jobs: ClosableRequestJobs,
  log: Log,
  hurry: AbortSignal,
): Promise<void> => {
  const left = Promise.all(workers.map((worker) => worker.leave()));
  const running = jobs.running();
  if (running.length > 0)
    log.info(
      { requests: running.length, seconds: drainMs / 1_000 },
      'Waiting for running requests; a second signal ends them',
    );
  const over = Promise.all([left, ...running.map((run) => ended(jobs, run))]);
  await withTimeout(unlessAborted(over, hurry, nothing), drainMs, nothing);
  // Who is in a hurry does not wait for a process that ignores TERM: its runner kills it, whether we are here or not.
  await Promise.race([jobs.close('The worker was stopped.'), hurried(hurry)]);
  await withTimeout(left, lastWordsMs, nothing);
  for (const worker of workers) worker.close();
};

const hurried = async (hurry: AbortSignal): Promise<void> => {
  if (!hurry.aborted) await once(hurry, 'abort');
  await sleep(lastWordsMs, undefined, { ref: false });
};

/** Also of a request whose broker is gone, so that nobody hears it. */
const ended = (jobs: ClosableRequestJobs, run: Parameters<ClosableRequestJobs['follow']>[0]): Promise<void> =>
  new Promise((resolve) => {
    const listener = { output: () => Promise.resolve(), ended: () => resolve() };
    if (!jobs.follow(run, listener)) resolve();
  });

const nothing = (): void => undefined;
