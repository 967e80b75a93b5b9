import type { ToWorker, WorkerMessage } from '../bus/messages.ts';
import type { Message } from '../bus/ports.ts';
import type { BrokerAddress, BrokerEndpoint } from '../domain/broker-address.ts';
import { startTimer } from '../kit/timer.ts';
import type { Disclaimed } from './disclaimed.ts';
import type { WorkerIdentity, WorkerNews } from './ports.ts';
import { ServedRequests } from './served-requests.ts';

/** Messages of a broker after `welcome`. */
export type WelcomedMessage = Exclude<ToWorker, { readonly op: 'welcome' | 'refused' | 'goodbye' | 'reannounce' }>;

export interface WelcomedSessionOptions extends Omit<WorkerIdentity, 'tell' | 'connect'> {
  readonly broker: BrokerEndpoint;
  readonly disclaimed: Disclaimed;
  readonly heartbeatMs: number;
  readonly maxMessage: number;
  send(head: WorkerMessage, body?: Buffer): void;
  tell(news: WorkerNews): void;
  /** The brokers that are up, as this one says. */
  onBrokers(brokers: readonly BrokerAddress[]): void;
  /** The broker has given no sign of life for too long. */
  onSilent(): void;
  /** Called when no request of this broker runs here any more. */
  onIdle(): void;
}

/** Lower limit of the interval that a broker asks for. */
const shortestHeartbeatMs = 10;
/** Heartbeats without a message after which the broker counts as lost. */
const liveness = 4;

/**
 * What a worker and a broker say to each other from a `welcome` on: services, requests, free slots and signs of life.
 *
 *     serving ── leave ──► leaving          serving   takes requests, and says what is free
 *        │                    │             leaving   finishes what runs, and announces nothing any more
 *        └─► closed ◄─────────┘             closed    the connection is lost or given up: nothing is said
 */
export class WelcomedSession {
  readonly #options: WelcomedSessionOptions;
  readonly #requests: ServedRequests;
  readonly #heartbeatMs: number;
  #services: readonly string[] = [];
  /** Free slots that the broker was told last. */
  #told = 0;
  /** Times of `performance.now()`. */
  #heardAt = performance.now();
  #lookedAt = this.#heardAt;
  #cancelBeat: () => void = () => undefined;
  #state: 'serving' | 'leaving' | 'closed' = 'serving';

  constructor(options: WelcomedSessionOptions) {
    this.#options = options;
    this.#heartbeatMs = Math.max(shortestHeartbeatMs, options.heartbeatMs);
    const { team, identity, jobs, disclaimed, whyNotAllowed, log, broker, proofs, maxMessage } = options;
    this.#requests = new ServedRequests({
      ...{ worker: `${team}/${identity}`, jobs, disclaimed, broker: broker.key, whyNotAllowed, log, maxMessage },
      ...(proofs === undefined ? {} : { proofs }),
      send: (head, body) => {
        if ('free' in head) this.#told = head.free;
        options.send(head, body);
      },
      tell: options.tell,
      onIdle: options.onIdle,
    });
  }

  /** Whether no request of this broker runs here. */
  get isIdle(): boolean {
    return this.#requests.isIdle;
  }

  /** The broker has given a sign of life. */
  heard(): void {
    this.#heardAt = performance.now();
  }

  handle({ head, body }: Message<WelcomedMessage>): void {
    switch (head.op) {
      case 'heartbeat':
        this.#options.tell({ kind: 'heartbeat' });
        break;
      case 'services':
        this.announce(head.services);
        break;
      case 'brokers':
        this.#options.onBrokers(head.brokers);
        break;
      default:
        if (head.op === 'request') this.#told--;
        this.#requests.handle({ head, body });
    }
  }

  /** This worker's own identity is a service, too. */
  announce(services: readonly string[]): void {
    if (this.#state !== 'serving') return;
    const { identity, proofs, send, tell } = this.#options;
    for (const service of services) if (!this.#services.includes(service)) tell({ kind: 'announcing', service });
    this.#services = services;
    const wanted = proofs === undefined ? {} : { no_proof: proofs.unneeded() };
    send({ op: 'announce', services: [...new Set([identity, ...services])], ...wanted });
  }

  /** A slot may have become free. */
  offer(): void {
    if (this.#state !== 'serving') return;
    const capacity = this.#requests.capacity();
    if (capacity.free === this.#told) return;
    this.#told = capacity.free;
    this.#options.send({ op: 'credit', ...capacity });
  }

  /** Sends a heartbeat now and at each interval, and checks that the broker sends messages, too. */
  beat(): void {
    if (this.#state === 'closed') return;
    this.#cancelBeat();
    const now = performance.now();
    // A process that was frozen cannot tell how long the broker has been silent.
    if (now - this.#lookedAt > 2 * this.#heartbeatMs) this.#heardAt = now;
    this.#lookedAt = now;
    if (now - this.#heardAt > liveness * this.#heartbeatMs) {
      this.#options.onSilent();
      return;
    }
    const capacity = this.#requests.capacity();
    this.#told = capacity.free;
    this.#options.send({ op: 'heartbeat', ...capacity });
    this.#cancelBeat = startTimer(this.#heartbeatMs, () => this.beat());
  }

  /** Returns new requests from now on. */
  leave(): void {
    this.#state = 'leaving';
    this.#requests.takeNoMore();
    this.#options.send({ op: 'leaving' });
    this.beat();
  }

  /** Forgets all requests of this broker; running jobs continue. */
  close(): void {
    this.#state = 'closed';
    this.#cancelBeat();
    this.#requests.close();
  }
}
