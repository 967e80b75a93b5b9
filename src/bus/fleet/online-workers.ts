import type { Clock } from '../../queue/ports.ts';
import { format } from '../../watch/document.ts';
import type { KeyStore, Presence } from '../../watch/ports.ts';
import type { OnlineWorker, WorkerPresence } from '../ports.ts';
import { targetOf } from '../target.ts';
import type { BusKeys } from './keys.ts';

/** One leased key per broker says which workers it has: thousands of workers cost one write a second at most. */
export class OnlineWorkers implements WorkerPresence {
  readonly #workers = new Map<string, { readonly node: string; readonly version: string; readonly since: string }>();
  readonly #clock: Clock;
  readonly #kept: Presence;

  constructor(store: Pick<KeyStore, 'keepPresent'>, keys: BusKeys, broker: string, clock: Clock) {
    this.#clock = clock;
    this.#kept = store.keepPresent(keys.online(broker), () =>
      JSON.stringify({ format, workers: Object.fromEntries(this.#workers) }),
    );
  }

  online({ team, identity, node, version }: OnlineWorker): void {
    const since = new Date(this.#clock.now()).toISOString();
    this.#workers.set(targetOf(team, identity), { node, version, since });
    this.#kept.refresh();
  }

  offline(team: string, identity: string): void {
    if (this.#workers.delete(targetOf(team, identity))) this.#kept.refresh();
  }

  close(): Promise<void> {
    return this.#kept.close();
  }
}
