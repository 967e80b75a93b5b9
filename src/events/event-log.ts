import PQueue from 'p-queue';
import { asTriggerdError } from '../domain/errors.ts';
import type { Clock } from '../kit/clock.ts';
import type { Log } from '../kit/log.ts';
import { onAbort } from '../kit/on-abort.ts';
import { type Event, eventOf, type Facts, maxBehind, readerDropped, tooSlow } from './event.ts';
import { Mailbox } from './mailbox.ts';
import type { EventSource, EventStore, Past, PastQuery, Wanted } from './ports.ts';

/** Events come in bursts: what is told within this time is written at once. */
const writeEveryMs = 1_000;
/** Kept in memory while the disk refuses; the oldest are forgotten. */
const maxUnwritten = 10_000;

export interface EventLogOptions {
  readonly node: string;
  readonly store: EventStore;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * What happens on this node. Whoever follows hears it at once; the store has it a second later, so that no job waits for
 * a disk on behalf of its own history. A crash may cost the past of that second; those who followed have heard it.
 *
 * An id is the time in microseconds, and always larger than the one before: also after a crash nothing is told under an
 * id that was used.
 */
export class EventLog implements EventSource {
  readonly #options: EventLogOptions;
  readonly #readers = new Set<(event: Event) => void>();
  #lastId: number;
  #unwritten: Event[] = [];
  /** The store does one thing at a time. */
  readonly #atStore = new PQueue({ concurrency: 1 });
  #timer: NodeJS.Timeout | undefined;
  #isRefused = false;

  private constructor(options: EventLogOptions, lastId: number) {
    this.#options = options;
    this.#lastId = lastId;
  }

  /** What cannot be read is no past; that hinders nobody. */
  static async open(options: EventLogOptions): Promise<EventLog> {
    const past = await options.store.read().catch((thrown: unknown) => {
      options.log.warn({ error: asTriggerdError(thrown) }, 'Cannot read past events');
      return [];
    });
    return new EventLog(options, Number(past.at(-1)?.id ?? 0));
  }

  /** Never throws, and returns before anything is on disk. Without `at` it has happened now. */
  tell(facts: Facts & { readonly at?: number; readonly node?: string }): void {
    const now = this.#options.clock.now();
    this.#lastId = Math.max(this.#lastId + 1, now * 1_000);
    const event = eventOf(String(this.#lastId), { at: now, node: this.#options.node, ...facts });
    this.#unwritten.push(event);
    // A disk that neither takes nor refuses must not fill the memory.
    if (this.#unwritten.length > 2 * maxUnwritten) this.#unwritten = this.#unwritten.slice(-maxUnwritten);
    for (const reader of this.#readers) reader(event);
    this.#timer ??= setTimeout(() => void this.#atStore.add(() => this.#write()), writeEveryMs).unref();
  }

  async past({ limit, since }: PastQuery, wanted: Wanted): Promise<Past> {
    if (limit === 0) return { events: [], cursor: String(this.#lastId) };
    const all = await this.#all();
    const chosen = all.filter((event) => Date.parse(event.at) >= since && wanted(event));
    return { events: chosen.slice(-limit), cursor: all.at(-1)?.id ?? String(this.#lastId) };
  }

  async *follow(cursor: string, wanted: Wanted, signal: AbortSignal): AsyncGenerator<Event, void, undefined> {
    const news = new Mailbox<Event>(maxBehind);
    const reader = (event: Event): void => {
      if (!wanted(event) || news.put(event)) return;
      this.#readers.delete(reader);
      this.#options.log.info({ limit: maxBehind }, readerDropped);
      news.close(this.#dropped(event));
    };
    this.#readers.add(reader);
    const off = onAbort(signal, () => news.close());
    try {
      // A cursor from elsewhere, or from before the clock was set back, would wait for ever.
      let told = Math.min(Number(cursor), this.#lastId);
      // What is in both is told once: ids grow.
      for (const event of await this.#all()) {
        if (signal.aborted) return;
        if (Number(event.id) <= told) continue;
        told = Number(event.id);
        if (wanted(event)) yield event;
      }
      for await (const event of news) if (Number(event.id) > told || event.kind === 'follow.dropped') yield event;
    } finally {
      this.#readers.delete(reader);
      off();
    }
  }

  /** Everything that was told is on disk when it resolves, if the disk takes it. */
  close(): Promise<void> {
    return this.#atStore.add(() => this.#write());
  }

  #all(): Promise<Event[]> {
    return this.#atStore.add(async () => {
      await this.#write();
      const written = await this.#options.store.read();
      return [...written, ...this.#unwritten];
    });
  }

  #dropped(next: Event): Event {
    const { node } = this.#options;
    const facts = { kind: 'follow.dropped', reason: tooSlow(maxBehind) } as const;
    return eventOf(String(Number(next.id) - 1), { at: Date.parse(next.at), node, ...facts });
  }

  async #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const events = this.#unwritten;
    if (events.length === 0) return;
    this.#unwritten = [];
    try {
      await this.#options.store.append(events);
      this.#isRefused = false;
    } catch (thrown) {
      if (!this.#isRefused) this.#options.log.warn({ error: asTriggerdError(thrown) }, 'Cannot write events');
      this.#isRefused = true;
      this.#unwritten = [...events, ...this.#unwritten].slice(-maxUnwritten);
    }
  }
}
