import type { Log } from '../domain/log.ts';
import type { Clock } from '../queue/ports.ts';
import type { QueueSummary, Queues } from '../queue/queues.ts';
import { Outage } from './outage.ts';
import { pause } from './pause.ts';
import type { Presence } from './ports.ts';
import type { Place } from './publication.ts';
import { serializeMember, serializePresence } from './wire-node.ts';

export interface NodePresenceOptions extends Place {
  readonly node: string;
  readonly version: string;
  readonly roles: readonly string[];
  /** ms since the epoch. */
  readonly startedAt: number;
  readonly queues: Pick<Queues, 'summary' | 'onChange'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Says in etcd that this node is there, what is in its queues, and, once and for good, that it has been seen. */
export class NodePresence {
  readonly #options: NodePresenceOptions;
  readonly #stop = new AbortController();
  #kept: Presence | undefined;
  #joining: Promise<void> | undefined;
  #unsubscribe: () => void = () => undefined;

  constructor(options: NodePresenceOptions) {
    this.#options = options;
  }

  start(): void {
    const { store, keys, node, queues } = this.#options;
    this.#kept = store.keepPresent(keys.node(node), () => this.#document());
    this.#unsubscribe = queues.onChange(() => this.#kept?.refresh());
    this.join();
  }

  /** Writes the member key unless it is there; to be called again when etcd turns out to be another cluster. */
  join(): void {
    this.#joining ??= this.#join().finally(() => {
      this.#joining = undefined;
    });
  }

  /** Takes the presence away; the membership stays. */
  async close(): Promise<void> {
    this.#unsubscribe();
    this.#stop.abort();
    await Promise.all([this.#kept?.close(), this.#joining]);
  }

  async #join(): Promise<void> {
    const { store, keys, node, clock, log } = this.#options;
    const key = keys.member(node);
    const value = serializeMember({ node, firstSeenAt: clock.now() });
    const away = new Outage(log, {
      begins: 'This node can not be written down as a member; trying again.',
      ends: 'This node is written down as a member.',
    });
    while (!this.#stop.signal.aborted) {
      try {
        await store.commit({ compare: [{ key, is: 'absent' }], write: [{ put: key, value }] });
        return away.over();
      } catch (error) {
        await pause(away.failed(error), this.#stop.signal);
      }
    }
  }

  #document(): string {
    const { node, version, roles, startedAt, queues } = this.#options;
    return serializePresence({ node, version, roles, startedAt, queues: lengthsOf(queues.summary()) });
  }
}

const lengthsOf = (queues: readonly QueueSummary[]) =>
  Object.fromEntries(queues.map(({ name, queued, running }) => [name, { queued, running }]));
