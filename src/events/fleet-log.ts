import { asTriggerdError, type TriggerdError } from '../domain/errors.ts';
import type { Firing, FiringId } from '../domain/firing.ts';
import type { Outcome } from '../domain/outcome.ts';
import { parseFiring } from '../firings/wire/firing.ts';
import { parseOutcome } from '../firings/wire/outcome.ts';
import { BoundedMap } from '../kit/bounded-map.ts';
import type { Clock } from '../kit/clock.ts';
import { inWindows } from '../kit/in-windows.ts';
import type { Log } from '../kit/log.ts';
import { onAbort } from '../kit/on-abort.ts';
import { pause } from '../kit/pause.ts';
import { retryDelayMs, storeRetry } from '../kit/retry.ts';
import { readable } from '../store/document.ts';
import type { Entry, WatchEvent } from '../store/key-store.ts';
import type { Keyspace } from '../store/keys.ts';
import { type Event, eventOf, type Facts, maxBehind, type NewEvent, readerDropped, tooSlow } from './event.ts';
import { countOfTargets, outcomeEvent, outcomeHistory, publishedEvent } from './firing-events.ts';
import { fleetEvents } from './fleet-events.ts';
import { Mailbox } from './mailbox.ts';
import type { EventSource, Past, PastQuery, Wanted } from './ports.ts';

/** How far back the past goes: so many firings, and so many targets of all of them. */
const pastFirings = 200;
const pastTargets = 10_000;
/** Triggers of firings are remembered for so many of them. */
const namesKept = 10_000;

export interface FleetLogOptions extends Keyspace {
  /** The node of events about following itself. */
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * What happens in the fleet, as etcd tells it: firings, outcomes, presence.
 *
 * An id is `<revision>.<n>`: the n-th event of a revision; `<revision>` alone is all of it. One watch over everything
 * gives one order. After any trouble the watch continues behind the last event told; where etcd has forgotten what came
 * next, the newest firings are listed, and a `follow.gap` says that something may be missing.
 */
export class FleetLog implements EventSource {
  readonly #options: FleetLogOptions;
  readonly #triggers = new BoundedMap<FiringId, string | null>(namesKept);

  constructor(options: FleetLogOptions) {
    this.#options = options;
  }

  /** Throws the store's errors. */
  async past({ limit, since }: PastQuery, wanted: Wanted): Promise<Past> {
    const cursor = String(await this.#revision());
    if (limit === 0) return { events: [], cursor };
    const told = await this.#recent(0n, BigInt(cursor), outcomeHistory);
    const events = told.filter((event) => Date.parse(event.at) >= since && wanted(event));
    return { events: events.sort(byTime).slice(-limit), cursor };
  }

  async *follow(cursor: string, wanted: Wanted, signal: AbortSignal): AsyncGenerator<Event, void, undefined> {
    const over = new AbortController();
    const off = onAbort(signal, () => over.abort());
    const news = new Mailbox<Event>(maxBehind);
    const watching = this.#watch(cursor, wanted, news, over.signal);
    // Looked at below, when what was told before it failed is read.
    watching.catch(() => undefined);
    try {
      yield* news;
      await watching;
    } finally {
      off();
      over.abort();
    }
  }

  /** Fills the mailbox until the reader is gone, or too far behind. Rejects for what will not go away. */
  async #watch(cursor: string, wanted: Wanted, news: Mailbox<Event>, signal: AbortSignal): Promise<void> {
    let last = cursor;
    let failures = 0;
    const tell = (event: Event): void => {
      last = event.id;
      if (wanted(event) && !news.put(event)) throw new TooSlow();
    };
    const sessions = async (): Promise<void> => {
      while (!signal.aborted) {
        try {
          for await (const event of this.#session(last, signal)) {
            if (failures > 0) tell(this.#note(last, { kind: 'etcd.back' }));
            failures = 0;
            if (event !== 'watching') tell(event);
          }
        } catch (thrown) {
          const error = asTriggerdError(thrown);
          if (thrown instanceof TooSlow || !error.retryable) throw thrown;
          if (failures++ === 0) tell(this.#note(last, { kind: 'etcd.lost', reason: error.message }));
          await pause(retryDelayMs(storeRetry, failures), signal);
        }
      }
    };
    try {
      await sessions();
    } catch (thrown) {
      if (!(thrown instanceof TooSlow)) throw thrown;
      this.#options.log.info({ limit: maxBehind }, readerDropped);
      news.close(this.#note(last, { kind: 'follow.dropped', reason: tooSlow(maxBehind) }));
    } finally {
      news.close();
    }
  }

  async *#session(cursor: string, signal: AbortSignal): AsyncGenerator<Event | 'watching', void, undefined> {
    try {
      yield* this.#changes(cursor, signal);
    } catch (thrown) {
      if (!isCompacted(asTriggerdError(thrown))) throw thrown;
      yield* await this.#afterGap(cursor);
    }
  }

  async *#changes(cursor: string, signal: AbortSignal): AsyncGenerator<Event | 'watching', void, undefined> {
    const { store, keys } = this.#options;
    const position = positionOf(cursor);
    // A replaced etcd counts from the beginning: nothing of it was told.
    const isOther = position.revision > (await this.#revision()) + 1n;
    const { revision, told } = isOther ? { revision: 1n, told: 0 } : position;
    for await (const { events } of store.watch(keys.all, revision, signal)) {
      yield 'watching';
      const counts = new Map<bigint, number>();
      for (const change of events) {
        const at = change.kind === 'put' ? change.entry.modRevision : change.modRevision;
        for (const newEvent of await this.#newEvents(change)) {
          const n = (counts.get(at) ?? 0) + 1;
          counts.set(at, n);
          if (at > revision || n > told) yield eventOf(`${at}.${n}`, newEvent);
        }
      }
    }
  }

  /** What can still be told of a time that etcd has forgotten; the last one's id is that of the present. */
  async #afterGap(last: string): Promise<Event[]> {
    const revision = await this.#revision();
    const now = this.#options.clock.now();
    const lastWord = (outcome: Outcome, trigger: string) => outcomeEvent(outcome, trigger, now);
    const missed = await this.#recent(positionOf(last).revision, revision, lastWord);
    const gap = {
      kind: 'follow.gap',
      reason: 'etcd has forgotten what came next: some events may be missing',
    } as const;
    return [...missed, this.#note(String(revision), gap)];
  }

  /** Events of the newest firings between two revisions, in the order of the revisions. */
  async #recent(
    from: bigint,
    to: bigint,
    eventsOf: (outcome: Outcome, trigger: string) => NewEvent[],
  ): Promise<Event[]> {
    const { store, keys } = this.#options;
    const isWithin = ({ modRevision }: Entry): boolean => modRevision >= from && modRevision <= to;
    const newest = await store.newest(keys.firings, pastFirings);
    const firings = newest.flatMap((entry) => readable(parseFiring, entry).map((firing) => ({ entry, firing })));
    const told = await inWindows(affordable(firings), async ({ entry, firing }) => {
      const { entries } = await store.list(keys.outcomes(firing.id));
      const said = entries.filter(isWithin).map((each) => {
        const outcomes = readable(parseOutcome, each);
        return eventsFrom(
          each,
          outcomes.flatMap((outcome) => eventsOf(outcome, firing.trigger)),
        );
      });
      const published = publishedEvent(firing, Date.parse(firing.createdAt));
      return [...(isWithin(entry) ? eventsFrom(entry, [published]) : []), ...said.flat()];
    });
    return told.flat().sort(byRevision);
  }

  #newEvents(change: WatchEvent): Promise<NewEvent[]> {
    return fleetEvents(this.#options.keys, change, (firing) => this.#triggerOf(firing), this.#options.clock.now());
  }

  async #triggerOf(firing: FiringId): Promise<string | null> {
    const known = this.#triggers.get(firing);
    if (known !== undefined) return known;
    const { store, keys } = this.#options;
    const entry = await store.get(keys.firing(firing));
    const trigger = entry === undefined ? null : (readable(parseFiring, entry)[0]?.trigger ?? null);
    this.#triggers.set(firing, trigger);
    return trigger;
  }

  async #revision(): Promise<bigint> {
    const { store, keys } = this.#options;
    return (await store.list(keys.election('sweeper'))).revision;
  }

  #note(id: string, facts: Facts): Event {
    return eventOf(id, { at: this.#options.clock.now(), node: this.#options.node, ...facts });
  }
}

/** The first of them, and as many others as do not have too many targets together: each may have said something. */
const affordable = <Item extends { readonly firing: Firing }>(items: readonly Item[]): Item[] => {
  let targets = 0;
  return items.filter(({ firing }, index) => {
    targets += countOfTargets(firing);
    return index === 0 || targets <= pastTargets;
  });
};

/** The reader is too far behind. */
class TooSlow extends Error {}

/** The first revision that is not told wholly, and how many of its events are. */
const positionOf = (cursor: string): { readonly revision: bigint; readonly told: number } => {
  const [revision = '0', told] = cursor.split('.');
  return told === undefined
    ? { revision: BigInt(revision) + 1n, told: 0 }
    : { revision: BigInt(revision), told: Number(told) };
};

const isCompacted = ({ details }: TriggerdError): boolean => details['compactRevision'] !== undefined;

const eventsFrom = ({ modRevision }: Entry, newEvents: readonly NewEvent[]): Event[] =>
  newEvents.map((newEvent, index) => eventOf(`${modRevision}.${index + 1}`, newEvent));

const byTime = (a: Event, b: Event): number => Date.parse(a.at) - Date.parse(b.at);
const byRevision = (a: Event, b: Event): number => {
  const [one, other] = [positionOf(a.id), positionOf(b.id)];
  return one.revision === other.revision ? one.told - other.told : one.revision < other.revision ? -1 : 1;
};
