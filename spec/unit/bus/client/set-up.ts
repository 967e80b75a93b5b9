import { BusClient } from '../../../../src/bus/client/bus-client.ts';
import type { ClientRequest } from '../../../../src/bus/client/client-request.ts';
import type { Credentials } from '../../../../src/bus/client/ports.ts';
import type { RequestOrder } from '../../../../src/bus/client/request-order.ts';
import type { BrokerEndpoint } from '../../../../src/domain/broker-address.ts';
import { brokerA, FakeBrokers, FakeClock } from './fake-broker.ts';

export interface SetUp {
  readonly client: BusClient;
  readonly brokers: FakeBrokers;
  readonly clock: FakeClock;
  readonly lost: string[];
  request(order?: Partial<RequestOrder>): ClientRequest;
}

export interface SetUpOptions {
  readonly brokers?: readonly BrokerEndpoint[];
  readonly credentials?: Credentials;
}

export const password: Credentials = { team: 'team1', identity: 'hp', secret: 'correct horse battery' };

export const setUp = ({ brokers: known = [brokerA], credentials = password }: SetUpOptions = {}): SetUp => {
  const brokers = new FakeBrokers();
  const clock = new FakeClock();
  const lost: string[] = [];
  let ids = 0;
  const client = new BusClient({
    brokers: known,
    credentials,
    connect: brokers.connect,
    clock,
    newId: () => idOf(++ids),
    onLost: (why) => void lost.push(why),
  });
  const request = (order: Partial<RequestOrder> = {}): ClientRequest =>
    client.request({
      service: 'demoservice',
      plugin: 'echo',
      payload: Buffer.from('uptime'),
      args: {},
      timeoutMs: 10_000,
      chain: [],
      ttl: 8,
      discardOutput: false,
      ...order,
    });
  return { client, brokers, clock, lost, request };
};

/** Connected, and the password is believed. */
export const setUpReady = (options: SetUpOptions = {}): SetUp => {
  const made = setUp(options);
  void made.client.connect();
  made.brokers.letIn();
  return made;
};

/** The id of the nth request of a client. */
export const idOf = (n: number): string => `01J${String(n).padStart(23, '0')}`;
