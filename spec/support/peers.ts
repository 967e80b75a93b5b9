import { ulid } from 'ulid';
import { dealerConnect } from '../../src/adapters/zmq/dealer.ts';
import { encodeFromClient, encodeFromWorker } from '../../src/bus/codec/encode.ts';
import { decodeToClient } from '../../src/bus/codec/to-client.ts';
import { decodeToWorker } from '../../src/bus/codec/to-worker.ts';
import type { ClientMessage, ToClient, ToWorker, WorkerMessage } from '../../src/bus/messages.ts';
import type { Connection } from '../../src/bus/ports.ts';
import type { BrokerAddress } from '../../src/domain/broker-address.ts';
import { silentLog } from '../../src/kit/log.ts';
import { until } from './wait.ts';

type Heard<Head> = Head & { readonly body: string };

/** A peer that says what it is told to and keeps what it hears: for what no well-behaved client or worker does. */
export class Peer<Say, Hear extends { readonly op: string }> {
  readonly connection: Connection;
  readonly heard: Heard<Hear>[] = [];
  readonly states: string[] = [];
  readonly #encode: (head: Say) => string;

  constructor(address: BrokerAddress, encode: (head: Say) => string, decode: (frame: Buffer) => Hear | string) {
    this.#encode = encode;
    this.connection = dealerConnect({ maxFrame: 67_108_864, log: silentLog })(address, {
      up: () => void this.states.push('up'),
      down: () => void this.states.push('down'),
      message: (frame, body) => {
        const head = decode(frame);
        if (typeof head === 'string') throw new Error(`the broker said what is no message: ${head}`);
        this.heard.push({ ...head, body: body.toString() });
      },
    });
  }

  async up(): Promise<this> {
    await until(() => this.states.at(-1) === 'up', 'the connection');
    return this;
  }

  say(head: Say, body: string | Buffer = ''): void {
    this.raw(this.#encode(head), typeof body === 'string' ? Buffer.from(body) : body);
  }

  raw(head: string, body: Buffer = Buffer.alloc(0)): void {
    if (!this.connection.send(head, body)) throw new Error('not connected');
  }

  of<Op extends Hear['op']>(op: Op): Heard<Extract<Hear, { op: Op }>>[] {
    return this.heard.filter((message): message is Heard<Extract<Hear, { op: Op }>> => message.op === op);
  }

  /** The `nth` message of this operation, once it is there. */
  async hears<Op extends Hear['op']>(op: Op, nth = 1): Promise<Heard<Extract<Hear, { op: Op }>>> {
    return await until(() => this.of(op)[nth - 1], `${op} ${nth}`);
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}

export type TestClient = Peer<ClientMessage, ToClient>;
export type TestWorker = Peer<WorkerMessage, ToWorker>;

export const client = async (address: BrokerAddress): Promise<TestClient> => {
  const peer = new Peer(address, encodeFromClient, decodeToClient);
  await peer.up();
  peer.say({ op: 'hello', v: 1 });
  await peer.hears('welcome');
  return peer;
};

export interface WorkerOptions {
  readonly team?: string;
  readonly identity?: string;
  readonly token?: string;
  readonly instance?: string;
  readonly free?: number;
}

export const sayReady = (peer: TestWorker, options: WorkerOptions = {}): void => {
  const { team = 'team1', identity = 'demo01', instance = ulid(), free = 4 } = options;
  peer.say(
    { op: 'ready', v: 1, team, identity, instance, node: 'node1', version: '1', free },
    options.token ?? 'token',
  );
};

/** Connected, and announced for everything that it may serve. */
export const worker = async (address: BrokerAddress, options: WorkerOptions = {}): Promise<TestWorker> => {
  const peer: TestWorker = new Peer(address, encodeFromWorker, decodeToWorker);
  await peer.up();
  sayReady(peer, options);
  const { services } = await peer.hears('welcome');
  peer.say({ op: 'announce', services: [options.identity ?? 'demo01', ...services] });
  return peer;
};

/** A request as the wire has it, of user1 in team1. */
export const requestFor = (
  service: string,
  changes: Partial<Extract<ClientMessage, { op: 'request' }>> = {},
): Extract<ClientMessage, { op: 'request' }> => ({
  op: 'request',
  jwt: 'jwt:user1@team1',
  id: ulid(),
  service,
  plugin: 'echo',
  args: {},
  timeout_ms: null,
  resume: false,
  worker: null,
  chain: [],
  ttl: 8,
  ...changes,
});

/** Nothing was on its way when the worker said this. */
export const everything = Number.MAX_SAFE_INTEGER;

/** How a worker says that a request went well. */
export const succeeded = (id: string, changes: Partial<Extract<WorkerMessage, { op: 'final' }>> = {}) =>
  ({
    op: 'final',
    id,
    job: 1,
    free: 4,
    seen: everything,
    result: 'succeeded',
    exit_code: 0,
    signal: null,
    reason: null,
    code: null,
    ran_ms: 5,
    output_bytes: 0,
    ...changes,
  }) as const satisfies WorkerMessage;
