import type { BrokerEndpoint } from '../../domain/broker-address.ts';
import { mostBrokers } from '../messages.ts';

/**
 * The brokers that are known, in the order in which they are asked. A *round* asks each once: as a rule in the order of
 * the configuration; after the loss of a broker those behind it and those before it, and not that one: it may be about to
 * stop, and would welcome us again and again until it has.
 */
export class BrokerRing {
  readonly #brokers: BrokerEndpoint[];
  #round: BrokerEndpoint[] = [];
  #present: BrokerEndpoint | undefined;

  constructor(configured: readonly BrokerEndpoint[]) {
    this.#brokers = [...configured];
  }

  /** Those that a broker told of come after the configured ones. A key is one broker, whatever its addresses. */
  learn(brokers: readonly BrokerEndpoint[]): void {
    for (const { endpoint, key } of brokers) {
      if (this.#brokers.length >= mostBrokers) return;
      if (this.#brokers.some((known) => known.key === key)) continue;
      this.#brokers.push({ endpoint, key });
      this.#round.push({ endpoint, key });
    }
  }

  beginRound(): void {
    this.#round = [...this.#brokers];
  }

  /** The round after the loss of the one that answered last. */
  beginRoundWithoutLast(): void {
    const lost = this.#present === undefined ? -1 : this.#brokers.indexOf(this.#present);
    this.#round = [...this.#brokers.slice(lost + 1), ...this.#brokers.slice(0, Math.max(0, lost))];
  }

  /** The next one of this round; undefined: all were asked. */
  next(): BrokerEndpoint | undefined {
    return this.#round.shift();
  }

  /** This one welcomed us. */
  answered(broker: BrokerEndpoint): void {
    this.#present = this.#brokers.find((known) => known.key === broker.key && known.endpoint === broker.endpoint);
  }
}
