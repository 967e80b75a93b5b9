import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ulid } from 'ulid';
import { sealProof } from '../../adapters/crypto/proofs.ts';
import { createOutputReader } from '../../adapters/files/follow-output.ts';
import { dealerConnect } from '../../adapters/zmq/dealer.ts';
import { furtherBrokers } from '../../config/brokers.ts';
import { type ConfiguredWorker, harmlessNotice } from '../../config/workers.ts';
import type { BrokerEndpoint } from '../../domain/broker-address.ts';
import { errorCatalogue } from '../../domain/errors.ts';
import { BrokerDirectory } from '../../fleet/brokers/broker-directory.ts';
import { busKeysBelow } from '../../fleet/brokers/wire.ts';
import type { Log } from '../../kit/log.ts';
import type { Releasers } from '../../kit/releasers.ts';
import { unlessAborted } from '../../kit/unless-aborted.ts';
import { withTimeout } from '../../kit/with-timeout.ts';
import { BusWorker } from '../../worker/bus-worker.ts';
import { type ClosableRequestJobs, createRequestJobs } from '../../worker/jobs/request-jobs.ts';
import type { WorkerEvent } from '../../worker/ports.ts';
import { ownBroker } from '../control/broker-view.ts';
import type { Runtime } from './runtime.ts';

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

type WorkerParts = Pick<Runtime, 'queues' | 'journal' | 'plugins' | 'proofs'> & {
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

/** What happens to workers, in the words of triggerFS' documentation. The same trouble is told once. */
export const createWorkerLog = (log: Log): ((event: WorkerEvent) => void) => {
  const troubles = new Map<string, string>();
  /** Whether this is news. */
  const isNew = ({ worker, endpoint }: WorkerEvent, trouble: string): boolean => {
    const of = `${worker} ${endpoint}`;
    const before = troubles.get(of);
    troubles.set(of, trouble);
    return before !== trouble;
  };
  return (event) => {
    const { worker, endpoint } = event;
    const at = { worker, broker: endpoint };
    switch (event.kind) {
      case 'connecting':
        log.debug(at, `connecting to broker at ${endpoint}...`);
        log.debug(at, 'trying to connect recv socket to broker');
        log.debug(at, 'trying to connect send socket to broker');
        break;
      case 'connected':
        troubles.delete(`${worker} ${endpoint}`);
        log.info(at, 'received BROKER_ACCEPTED from broker for worker socket - Connected');
        break;
      case 'announcing':
        log.info(at, `Found service ${event.service}. Announcing it to broker.`);
        break;
      case 'heartbeat':
        log.debug(at, 'received HEARTBEAT for worker socket from broker.');
        break;
      case 'refused': {
        const { code, message } = event.refusal;
        const facts = { ...at, code, remedy: remedyOf(code, worker), retry_in_ms: event.retryMs };
        const text = `The broker at ${endpoint} refused the worker: ${message}`;
        if (isNew(event, message)) log.error(facts, text);
        else log.debug(facts, text);
        break;
      }
      case 'lost': {
        const text = event.wasServing
          ? `The broker at ${endpoint} is lost, retrying: ${event.reason}`
          : `The broker at ${endpoint} does not answer, retrying: ${event.reason}`;
        if (isNew(event, event.reason)) log.warn(at, text);
        else log.debug(at, text);
        break;
      }
      case 'goodbye':
        log.info(at, `The broker at ${endpoint} is stopping`);
        break;
      case 'left':
        log.info(at, `The worker has left the broker at ${endpoint}`);
        break;
      case 'request': {
        const { id, service, plugin, user } = event;
        log.debug({ worker, broker: endpoint, request: id, service, plugin, user }, 'Received a request');
        break;
      }
      case 'answered': {
        const { id, job, outcome } = event;
        const { result, exit_code, code } = outcome;
        log.debug({ worker, broker: endpoint, request: id, job, result, exit_code, code }, 'Answered a request');
        break;
      }
    }
  };
};

const remedyOf = (code: keyof typeof errorCatalogue, worker: string): string =>
  errorCatalogue[code].remedy.replace('[workers.TEAM.IDENTITY]', `[workers.${worker.replace('/', '.')}]`);

/**
 * The workers that a node's configuration names, at every broker that etcd knows, and at those of `[workers] broker`, else of
 * `[main] broker`.
 * Throws `config-invalid`.
 */
export const startNodeWorkers = (
  runtime: Runtime,
  workers: readonly ConfiguredWorker[],
  releasers: Releasers,
): Workers => {
  const { config, keyspace, options } = runtime;
  const fixed = [...furtherBrokers(config), ...ownBroker(runtime)];
  const directory = new BrokerDirectory({
    store: keyspace.store,
    keys: busKeysBelow(config.etcd.prefix),
    log: options.log,
  });
  directory.start();
  releasers.push('brokers for workers', () => directory.stop());
  const started = startWorkers(runtime, workers, fixed, releasers);
  // Later ones count where two have the same key: what is written down knows the way from here.
  directory.onChange(() => started.connectTo([...directory.brokers, ...fixed]));
  return started;
};
