import type { RequestRun } from '../domain/request.ts';
import { BoundedMap } from '../kit/bounded-map.ts';

const most = 10_000;

/**
 * Runs that a broker has asked for and that were not known here. That broker relies on it: it may give the request to
 * somebody else. So what another broker, dead by now, had sent before and is only read now, must not be started any more.
 */
export class Disclaimed {
  readonly #brokers = new BoundedMap<string, string>(most);

  add(run: RequestRun, broker: string): void {
    this.#brokers.set(keyOf(run), broker);
  }

  /** Whether another broker than this one relies on its not being run here. */
  isFor(run: RequestRun, broker: string): boolean {
    const asked = this.#brokers.get(keyOf(run));
    return asked !== undefined && asked !== broker;
  }
}

const keyOf = ({ id, user }: RequestRun): string => `${user}/${id}`;
