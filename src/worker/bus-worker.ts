import { mostBrokers } from '../bus/messages.ts';
import type { BrokerEndpoint } from '../domain/broker-address.ts';
import { BrokerConnection } from './broker-connection.ts';
import { Disclaimed } from './disclaimed.ts';
import type { WorkerIdentity } from './ports.ts';

export interface BusWorkerOptions extends WorkerIdentity {
  /** Brokers that are tried whatever others say. */
  readonly brokers: readonly BrokerEndpoint[];
}

/**
 * One worker: connected to every broker that it knows of. Those are the configured ones, and what the brokers themselves
 * say. A broker is its key: by which of its addresses it is reached does not matter, the configured one comes first.
 */
export class BusWorker {
  readonly #options: BusWorkerOptions;
  readonly #connections = new Map<string, BrokerConnection>();
  /** The brokers that each broker has announced last, by its key. */
  readonly #said = new Map<string, readonly BrokerEndpoint[]>();
  readonly #disclaimed = new Disclaimed();
  #configured: readonly BrokerEndpoint[];
  #stopOffering: () => void = () => undefined;
  #hasToOffer = false;
  #isLeaving = false;
  #isFull = false;
  #onGone: () => void = () => undefined;

  constructor(options: BusWorkerOptions) {
    this.#options = options;
    this.#configured = options.brokers;
  }

  get isServing(): boolean {
    return [...this.#connections.values()].some(({ isServing }) => isServing);
  }

  start(): void {
    this.#stopOffering = this.#options.jobs.onFree(() => this.#offerSoon());
    this.#connectToAll();
  }

  /** The brokers that are tried whatever others say are these from now on. */
  configure(brokers: readonly BrokerEndpoint[]): void {
    this.#configured = brokers;
    this.#connectToAll();
  }

  /** Finishes running requests and takes nothing new; resolves when no broker waits for this worker. */
  leave(): Promise<void> {
    this.#isLeaving = true;
    const gone = new Promise<void>((resolve) => {
      this.#onGone = resolve;
    });
    for (const connection of [...this.#connections.values()]) connection.leave();
    if (this.#connections.size === 0) this.#onGone();
    return gone;
  }

  /** Ends at once; running requests continue. */
  close(): void {
    this.#isLeaving = true;
    this.#stopOffering();
    for (const connection of [...this.#connections.values()]) connection.close();
  }

  #connectToAll(): void {
    if (this.#isLeaving) return;
    const wanted = this.#wanted();
    for (const [key, connection] of [...this.#connections])
      if (!connection.isServing && wanted.get(key)?.endpoint !== connection.broker.endpoint) connection.close();
    const missing = [...wanted].filter(([key]) => !this.#connections.has(key));
    for (const [key, broker] of missing) if (this.#hasCapacityFor(key)) this.#add(key, broker);
    this.#setFull(missing.some(([key]) => !this.#connections.has(key)));
  }

  /** Configured brokers always have a connection. */
  #hasCapacityFor(key: string): boolean {
    return this.#connections.size < mostBrokers || this.#configured.some((broker) => broker.key === key);
  }

  /** Logs once, until all brokers have a connection again. */
  #setFull(isFull: boolean): void {
    const { log, team, identity } = this.#options;
    if (isFull && !this.#isFull)
      log.warn(
        { worker: `${team}/${identity}` },
        `The brokers announce more than ${mostBrokers} brokers; the worker connects only to so many`,
      );
    this.#isFull = isFull;
  }

  #add(key: string, broker: BrokerEndpoint): void {
    const connection = new BrokerConnection({
      ...this.#options,
      broker,
      disclaimed: this.#disclaimed,
      onBrokers: (brokers) => this.#heard(key, brokers),
      isWanted: () => this.#wanted().get(key)?.endpoint === broker.endpoint,
      onGone: () => this.#gone(key),
    });
    this.#connections.set(key, connection);
    connection.connect();
  }

  #heard(key: string, brokers: readonly BrokerEndpoint[]): void {
    this.#said.set(key, brokers);
    this.#connectToAll();
  }

  #gone(key: string): void {
    this.#connections.delete(key);
    this.#said.delete(key);
    if (this.#isLeaving && this.#connections.size === 0) this.#onGone();
    // The broker may be wanted at another address.
    this.#connectToAll();
  }

  /**
   * By key. Who is connected knows better than who was: only while nobody is connected does the last word of all count,
   * so that after an outage of the network every one of them is tried.
   */
  #wanted(): Map<string, BrokerEndpoint> {
    const isCurrent = (key: string): boolean => !this.isServing || this.#connections.get(key)?.isServing === true;
    const said = [...this.#said].flatMap(([key, brokers]) => (isCurrent(key) ? brokers : []));
    return new Map([...said, ...this.#configured].map((broker) => [broker.key, broker]));
  }

  /** Once for all that becomes free in one turn, at its end: a final that is sent meanwhile says itself how much is free. */
  #offerSoon(): void {
    if (this.#hasToOffer) return;
    this.#hasToOffer = true;
    setImmediate(() => {
      this.#hasToOffer = false;
      for (const connection of this.#connections.values()) connection.offer();
    });
  }
}
