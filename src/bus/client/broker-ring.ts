import type { DialledBroker } from './ports.ts';

/** More than any installation has; what brokers tell of has to have an end. */
const mostBrokers = 64;

/**
 * The brokers that are known, in the order in which they are asked. A *round* asks each once: the first one in the order
 * of the configuration, one after the loss of a broker from the one behind it on, so that the lost one comes last.
 */
export class BrokerRing {
  readonly #brokers: DialledBroker[];
  #round: DialledBroker[] = [];
  #present: DialledBroker | undefined;

  constructor(configured: readonly DialledBroker[]) {
    this.#brokers = [...configured];
  }

  /** Those that a broker told of come after the configured ones. A key is one broker, whatever its addresses. */
  learn(brokers: readonly DialledBroker[]): void {
    for (const { endpoint, key } of brokers) {
      if (this.#brokers.length >= mostBrokers) return;
      if (this.#brokers.some((known) => known.key === key)) continue;
      this.#brokers.push({ endpoint, key });
      this.#round.push({ endpoint, key });
    }
  }

  beginRound(): void {
    const behind = this.#present === undefined ? 0 : this.#brokers.indexOf(this.#present) + 1;
    this.#round = [...this.#brokers.slice(behind), ...this.#brokers.slice(0, behind)];
    this.#present = undefined;
  }

  /** The next one of this round; undefined: all were asked. */
  next(): DialledBroker | undefined {
    return this.#round.shift();
  }

  /** This one welcomed us. */
  answered(broker: DialledBroker): void {
    this.#present = this.#brokers.find((known) => known.key === broker.key && known.endpoint === broker.endpoint);
  }
}
