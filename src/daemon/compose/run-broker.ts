import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerMetrics } from '../../adapters/prometheus/broker-metrics.ts';
import { type BusRouter, openRouter } from '../../adapters/zmq/router.ts';
import { Broker, type BrokerState } from '../../broker/broker.ts';
import type { OpenRequests } from '../../broker/open-requests.ts';
import type { BrokerObserver, BrokerOptions } from '../../broker/options.ts';
import { eachMessage } from '../../bus/codec/pack.ts';
import type { BrokerAddress } from '../../domain/broker-address.ts';
import type { RequestRecord } from '../../domain/request-record.ts';
import { cutReason, type RequestFinishedFacts } from '../../events/event.ts';
import type { Runtime } from './runtime.ts';

interface RunBrokerOptions extends Omit<BrokerOptions, 'wire' | 'clock'> {
  readonly listen: string;
  readonly secretKey: string;
  /** How long a stop waits for requests that run, once everybody was told to ask another broker. ms. */
  readonly drainMs: number;
  /** It serves nobody any more: the socket or its authenticator has failed. */
  readonly onDead: (error: Error) => void;
}

export interface RunningBroker {
  /** With the port that was found where 0 was asked for. */
  readonly endpoint: string;
  readonly state: BrokerState;
  readonly openRequests: OpenRequests;
  brokersChanged(): void;
  sendAway(brokers: readonly BrokerAddress[]): void;
  stop(): Promise<void>;
}

const tickMs = 100;
const soonMs = 2;
const clock = { now: (): number => performance.now(), date: (): number => Date.now() };

/** The broker on its socket, with time. Throws `broker-unusable`. */
export const runBroker = async (options: RunBrokerOptions): Promise<RunningBroker> => {
  const { listen, secretKey, limits, log } = options;
  const wire = {
    send: (peer: string, head: string, body?: Buffer): void => router.send(peer, head, body),
    soon: (act: () => void): void => void setTimeout(act, soonMs),
    forget: (peer: string): void => router.forget(peer),
  };
  const broker = new Broker({ ...options, wire, clock });
  const router: BusRouter = await openRouter(
    { listen, secretKey, maxMessage: limits.maxMessage, log },
    {
      frames: (peer, frames) =>
        eachMessage(
          frames,
          1,
          (head, body) => broker.receive(peer, head, body),
          (why) => broker.receivedMalformed(peer, why),
        ),
      gone: (peer, why) => broker.gone(peer, why),
      dead: options.onDead,
    },
  );
  const ticks = setInterval(() => broker.tick(), tickMs);
  return {
    endpoint: router.endpoint,
    get state() {
      return broker.state;
    },
    openRequests: broker.openRequests,
    brokersChanged: () => broker.brokersChanged(),
    sendAway: (brokers) => broker.sendAway(brokers),
    stop: async () => {
      broker.sayGoodbye();
      const until = clock.now() + options.drainMs;
      while (broker.running > 0 && clock.now() < until) await sleep(tickMs / 2);
      clearInterval(ticks);
      broker.close();
      await router.close();
    },
  };
};

/** Requests may come by the thousand in a second, and the log of events is small: beyond this they are only counted. */
const eventsPerSecond = 50;

/** What a broker sees, as events and metrics. */
export const observeBroker = ({ events }: Pick<Runtime, 'events'>, metrics: BrokerMetrics): BrokerObserver => {
  const mayTell = perSecond(eventsPerSecond);
  return {
    requestReceived: ({ id, user, service }) => {
      if (mayTell()) events.tell({ kind: 'request.received', request: id, user, service });
    },
    requestFinished: (record) => {
      const duration = Date.parse(record.finished_at) - Date.parse(record.received_at);
      metrics.requestFinished(record.result, duration);
      if (mayTell()) events.tell(finishedEvent(record, duration));
    },
    workerOnline: ({ team, identity, node: host }) =>
      events.tell({ kind: 'worker.online', team, worker: identity, host }),
    workerOffline: ({ team, identity, node: host, reason }) =>
      events.tell({ kind: 'worker.offline', team, worker: identity, host, reason: cutReason(reason) }),
    malformed: () => metrics.malformed(),
    refused: (code) => metrics.refused(code),
  };
};

const finishedEvent = (record: RequestRecord, duration_ms: number): RequestFinishedFacts => {
  const { id, user, team, service, service_team, result, exit_code, reason, legs } = record;
  return {
    kind: 'request.finished',
    request: id,
    user: `${user}@${team}`,
    service: `${service_team}/${service}`,
    workers: legs.slice(0, 10).map(({ worker }) => worker),
    result,
    exit_code,
    reason: reason === null ? null : cutReason(reason),
    duration_ms,
  };
};

const perSecond = (limit: number): (() => boolean) => {
  let begun = 0;
  let count = 0;
  return () => {
    const now = performance.now();
    if (now - begun >= 1_000) {
      begun = now;
      count = 0;
    }
    return ++count <= limit;
  };
};
