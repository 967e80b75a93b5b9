import { ulid } from 'ulid';
import { onTestFinished } from 'vitest';
import { dealerConnect } from '../../src/adapters/zmq/dealer.ts';
import { Client } from '../../src/client/client.ts';
import type { BrokerEndpoint } from '../../src/domain/broker-address.ts';
import { BusWorker, type BusWorkerOptions } from '../../src/worker/bus-worker.ts';
import type { WorkerEvent } from '../../src/worker/ports.ts';
import { recordingLog } from './recording-log.ts';
import { requestsIn } from './requests.ts';
import { until } from './wait.ts';

/** The worker `team1/demo01` on real sockets, with real jobs of the plugins in its folder. */
export const startLiveWorker = async (
  brokers: readonly BrokerEndpoint[],
  options: Partial<BusWorkerOptions> & { readonly slots?: number; readonly folder?: string } = {},
) => {
  const { slots, folder, ...special } = options;
  const room = await requestsIn(folder, slots === undefined ? {} : { slots });
  const events: WorkerEvent[] = [];
  const log = recordingLog();
  const worker = new BusWorker({
    ...{ team: 'team1', identity: 'demo01', token: 'token', instance: ulid(), node: 'node1', version: '1' },
    ...{ jobs: room.jobs, brokers, log, whyNotAllowed: () => undefined },
    connect: dealerConnect({ maxFrame: 67_108_864, log }),
    tell: (event) => void events.push(event),
    ...special,
  });
  worker.start();
  onTestFinished(() => worker.close());
  const kinds = (kind: WorkerEvent['kind']) => events.filter((event) => event.kind === kind);
  return {
    ...room,
    worker,
    events,
    kinds,
    serves: () => until(() => worker.isServing, 'the worker to serve'),
    told: (kind: WorkerEvent['kind'], times = 1) =>
      until(() => kinds(kind)[times - 1], `the ${times}. event “${kind}”`),
  };
};

/** `user1` of team1, at these brokers. */
export const liveClient = async (...brokers: readonly BrokerEndpoint[]): Promise<Client> => {
  const client = await Client.connect({ brokers, jwt: 'jwt:user1@team1' });
  onTestFinished(() => client.close());
  return client;
};
