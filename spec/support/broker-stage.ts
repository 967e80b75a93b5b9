import { ulid } from 'ulid';
import { Broker } from '../../src/broker/broker.ts';
import type { BrokerLimits } from '../../src/broker/options.ts';
import type { ClientMessage, WorkerMessage } from '../../src/bus/messages.ts';
import type { PeerId } from '../../src/bus/ports.ts';
import type { RequestRecord } from '../../src/domain/request-record.ts';
import { FakeRegistry, recordingObserver, testLimits } from './bus.ts';
import { requestFor, succeeded } from './peers.ts';
import { recordingLog } from './recording-log.ts';

export interface Sent {
  readonly to: PeerId;
  readonly op: string;
  readonly body: string;
  readonly [field: string]: unknown;
}

/** A broker's core with everything around it in the hands of the test: peers, the registry, time. */
export class BrokerStage {
  readonly registry = new FakeRegistry();
  readonly records: RequestRecord[] = [];
  readonly observer = recordingObserver();
  readonly online = new Set<string>();
  readonly log = recordingLog();
  readonly sent: Sent[] = [];
  readonly forgotten: PeerId[] = [];
  readonly broker: Broker;
  now = 1_000_000;
  /** False: what is to happen soon waits in `soon`. */
  isSoonNow = true;
  readonly soon: (() => void)[] = [];
  /** Another broker has this one's id. */
  isRefused = false;
  /** For those who count what was not understood and throw the lines away. */
  malformed = 0;

  constructor(limits: Partial<BrokerLimits> = {}) {
    this.broker = new Broker({
      id: 'broker-1',
      registry: this.registry,
      accounts: this.registry,
      presence: {
        online: ({ team, identity }) => void this.online.add(`${team}/${identity}`),
        offline: (team, identity) => void this.online.delete(`${team}/${identity}`),
      },
      history: { record: (record) => void this.records.push(record) },
      wire: {
        send: (to, head, body) => void this.sent.push({ ...JSON.parse(head), to, body: body?.toString() ?? '' }),
        soon: (act) => {
          if (this.isSoonNow) act();
          else this.soon.push(act);
        },
        forget: (peer) => void this.forgotten.push(peer),
      },
      isRefused: () => this.isRefused,
      brokers: () => [{ id: 'broker-1', endpoint: 'tcp://broker-1:5555', key: 'k' }],
      limits: { ...testLimits, ...limits },
      clock: { now: () => this.now, date: () => this.now },
      observer: this.observer,
      log: this.log,
    });
  }

  say(peer: PeerId, head: ClientMessage | WorkerMessage, body = ''): void {
    this.raw(peer, JSON.stringify(head), body);
  }

  raw(peer: PeerId, head: string, body = ''): void {
    this.broker.receive(peer, Buffer.from(head), Buffer.from(body));
  }

  /** What went to this peer, without the signs of life. */
  to(peer: PeerId, op?: string): Sent[] {
    return this.sent.filter(
      (each) => each.to === peer && each.op !== 'heartbeat' && (op === undefined || each.op === op),
    );
  }

  ops(peer: PeerId): string[] {
    return this.to(peer).map(({ op }) => op);
  }

  /** Forgets what was said so far. */
  clear(): void {
    this.sent.length = 0;
  }

  /** Time passes, with the peers that live showing it. */
  pass(ms: number, alive: readonly PeerId[] = []): void {
    for (let left = ms; left > 0; left -= 100) {
      this.now += Math.min(100, left);
      for (const peer of alive) this.raw(peer, '{"op":"heartbeat","free":0,"seen":0}');
      this.broker.tick();
    }
  }

  client(peer: PeerId): PeerId {
    this.say(peer, { op: 'hello', v: 1 });
    return peer;
  }

  /** A worker of team1, connected and announced for all that it may serve. */
  async worker(
    identity: string,
    { peer = identity, free = 1, instance = `process of ${identity}` } = {},
  ): Promise<PeerId> {
    if (!this.registry.workers.has(`team1/${identity}`)) this.registry.worker('team1', identity);
    this.say(
      peer,
      { op: 'ready', v: 1, team: 'team1', identity, instance, node: 'node1', version: '1', free },
      'token',
    );
    await settled();
    const services = this.registry.servicesOf('team1', identity) ?? [];
    this.say(peer, { op: 'announce', services: [identity, ...services] });
    return peer;
  }

  /** Asks, as user1 of team1. Gives the id. */
  ask(peer: PeerId, service: string, changes: Parameters<typeof requestFor>[1] = {}, body = 'payload'): string {
    const request = requestFor(service, { id: ulid(this.#count++), ...changes });
    this.say(peer, request, body);
    return request.id;
  }

  finish(peer: PeerId, id: string, changes: Parameters<typeof succeeded>[1] = {}, tail = ''): void {
    this.say(peer, succeeded(id, { free: 1, ...changes }), tail);
  }

  #count = 1;
}

/** After the promises that are settled already. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
