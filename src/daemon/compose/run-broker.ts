import { setTimeout as sleep } from 'node:timers/promises';
import { type BusRouter, openRouter } from '../../adapters/zmq/router.ts';
import { Broker, type BrokerState } from '../../broker/broker.ts';
import type { OpenRequests } from '../../broker/open-requests.ts';
import type { BrokerOptions } from '../../broker/options.ts';
import { eachMessage } from '../../bus/codec/pack.ts';
import type { BrokerAddress } from '../../domain/broker-address.ts';

export interface RunBrokerOptions extends Omit<BrokerOptions, 'wire' | 'clock'> {
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
