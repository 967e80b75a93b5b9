import type { Clock } from '../../../../src/bus/client/ports.ts';
import { encodeToClient } from '../../../../src/bus/codec/encode.ts';
import type { ClientMessage, ToClient, WireOutcome } from '../../../../src/bus/messages.ts';
import type { Connect } from '../../../../src/bus/ports.ts';
import type { BrokerEndpoint } from '../../../../src/domain/broker-address.ts';
import { decodeFromClient } from '../../../support/codec.ts';

/** A clock that continues when it is told to. */
export class FakeClock implements Clock {
  #now = 1_000;
  #timers: { at: number; act: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, act: () => void): () => void {
    const timer = { at: this.#now + ms, act };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  /** Time passes, and everything happens at its time. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#now = Math.max(this.#now, next.at);
      next.act();
    }
    this.#now = end;
  }

  /** The process stands still, and everything that was due happens afterwards. */
  freeze(ms: number): void {
    this.#now += ms;
    this.pass(0);
  }
}

/** A connection as the broker at its end sees it. */
export interface Connection {
  readonly broker: BrokerEndpoint;
  readonly received: { readonly message: ClientMessage; readonly body: string }[];
  isClosed: boolean;
  up(): void;
  /** Another address of the broker is tried. */
  attempting(): void;
  say(message: ToClient, body?: string): void;
  /** Bytes as they come from the wire. */
  sayRaw(head: Buffer): void;
  down(why: string): void;
}

/** Takes the calls of a client; the test answers for the brokers. */
export class FakeBrokers {
  readonly connections: Connection[] = [];

  readonly connect: Connect = (broker, listener) => {
    const connection: Connection = {
      broker,
      received: [],
      isClosed: false,
      up: () => listener.up(),
      attempting: () => listener.attempting?.(),
      say: (message, body = '') => listener.message(Buffer.from(encodeToClient(message)), Buffer.from(body)),
      sayRaw: (head) => listener.message(head, Buffer.alloc(0)),
      down: (why) => listener.down(why),
    };
    this.connections.push(connection);
    return {
      queuedBytes: 0,
      send: (head, body) => {
        const message = decodeFromClient(Buffer.from(head));
        if (typeof message === 'string') throw new Error(message);
        connection.received.push({ message, body: body?.toString() ?? '' });
        return true;
      },
      close: () => {
        connection.isClosed = true;
        return Promise.resolve();
      },
    };
  };

  get last(): Connection {
    const last = this.connections.at(-1);
    if (last === undefined) throw new Error('nobody has called');
    return last;
  }

  /** The last message of this kind that the present connection got. */
  heard<Op extends ClientMessage['op']>(op: Op): Extract<ClientMessage, { op: Op }> {
    const found = this.all(op).at(-1);
    if (found === undefined) throw new Error(`no ${op} was sent`);
    return found;
  }

  all<Op extends ClientMessage['op']>(op: Op): Extract<ClientMessage, { op: Op }>[] {
    return this.last.received
      .map(({ message }) => message)
      .filter((message): message is Extract<ClientMessage, { op: Op }> => message.op === op);
  }

  /** The connection is made, and the client welcomed. */
  welcome(brokers: readonly BrokerEndpoint[] = []): void {
    this.last.up();
    this.last.say({
      op: 'welcome',
      v: 1,
      broker: this.last.broker.endpoint,
      brokers: brokers.map((each) => ({ id: each.endpoint, ...each })),
      heartbeat_ms: 1_000,
      max_message: 1_000,
    });
  }

  /** Welcomes the client and believes its password. */
  letIn(jwt = 'jwt-1', expiresMs = 900_000): void {
    this.welcome();
    this.last.say({ op: 'token', n: this.heard('login').n, expires_ms: expiresMs }, jwt);
  }
}

export const brokerA = { endpoint: 'tcp://a:5555', key: 'a'.repeat(40) };
export const brokerB = { endpoint: 'tcp://b:5555', key: 'b'.repeat(40) };

export const succeeded: WireOutcome = {
  result: 'succeeded',
  exit_code: 0,
  signal: null,
  reason: null,
  code: null,
  ran_ms: 5,
  output_bytes: 0,
};
