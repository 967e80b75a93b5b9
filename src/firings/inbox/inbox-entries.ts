import { setImmediate as nextTurn } from 'node:timers/promises';
import { asTriggerdError } from '../../domain/errors.ts';
import { type FiringId, isFiringId } from '../../domain/firing.ts';
import { chunksOf } from '../../kit/in-windows.ts';
import { Notices } from '../../kit/notices.ts';
import type { FiringLog } from '../../queue/ports/journal.ts';
import { readable } from '../../store/document.ts';
import type { Entry } from '../../store/key-store.ts';
import { lastSegment } from '../../store/keys.ts';
import { isPublishedFinal } from '../outcomes/published.ts';
import { parseInboxEntry, targetsOfEarlyEntry } from '../wire/firing.ts';
import { AwaitedFirings, publishingMs } from './awaited-firings.ts';
import type { EndedElsewhere } from './ended-elsewhere.ts';
import { FiringTaker, nameNotHeld, type StoredFiring, type TakeFiringOptions } from './take-firing.ts';

/** Entries whose firings are read at once, and journalled together. */
export const inboxWindow = 64;

/** In the order in which they were created. */
export const inOrder = (entries: readonly Entry[]): Entry[] =>
  entries.toSorted((a, b) => Number(a.createRevision - b.createRevision));

export interface InboxEntriesOptions extends TakeFiringOptions {
  readonly firings: Pick<FiringLog, 'find' | 'unsettledIds'>;
  /** Told that somebody wants a firing ended also if it runs. */
  readonly elsewhere?: Pick<EndedElsewhere, 'killWished'>;
}

/**
 * What becomes of inbox entries. An entry whose firing is *known* in the journal is skipped; one whose firing does not
 * exist yet is *awaited*; every other firing is *taken*. Keys that are no entries are ignored, with one log line each.
 */
export class InboxEntries {
  readonly #options: InboxEntriesOptions;
  readonly #notices: Notices;
  readonly #taker: FiringTaker;
  readonly #awaited: AwaitedFirings;
  /** Journalled, and not told etcd: of many firings first all are taken, and what is past by then is never told. */
  #untold: FiringId[] = [];
  /** Unsettled firings without an entry: etcd may have lost both, and then their jobs run all the same. */
  #gone: ReadonlySet<string> = new Set();

  constructor(options: InboxEntriesOptions) {
    this.#options = options;
    this.#notices = new Notices(options.log);
    const outcomes = { ...options.outcomes, publish: (id: FiringId) => void this.#untold.push(id) };
    this.#taker = new FiringTaker({ ...options, outcomes }, this.#notices);
    this.#awaited = new AwaitedFirings({
      store: options.store,
      firingKey: options.keys.firing,
      onAppeared: (id, entry) => this.#taker.take([{ id, entry }]).finally(() => this.#tell()),
    });
  }

  /** Foreign and malformed keys met so far, and entries whose firing is awaited now. */
  get counts(): { readonly ignored: number; readonly awaited: number } {
    return { ignored: this.#notices.count, awaited: this.#awaited.count };
  }

  /** Entries in the order of their creation; `areNew`: they have just been put. Throws only for etcd. */
  async accept(entries: readonly Entry[], signal: AbortSignal, areNew = false): Promise<void> {
    try {
      for (const window of chunksOf(entries, inboxWindow)) {
        if (signal.aborted) return;
        await this.#acceptWindow(window, areNew);
        // The journal is synchronous: others get their turn between two windows.
        await nextTurn();
      }
    } finally {
      this.#tell();
    }
  }

  #tell(): void {
    const untold = this.#untold;
    this.#untold = [];
    for (const id of untold) this.#options.outcomes.publish(id);
  }

  /** An entry that is gone: nobody waits for its firing any more. */
  vanished(key: string): void {
    const id = lastSegment(key);
    this.#awaited.forget(id);
    const logged = this.#options.firings.find(id);
    if (logged !== undefined && !isPublishedFinal(logged.published)) this.#options.outcomes.entryGone(id);
  }

  /** What was unsettled before a listing and is not in it has lost its entry; each is asked about once. */
  missing(unsettled: readonly string[], listed: readonly Entry[]): void {
    const there = new Set(listed.map(({ key }) => lastSegment(key)));
    const gone = unsettled.filter((id) => !there.has(id));
    for (const id of gone.filter((id) => !this.#gone.has(id))) this.#options.outcomes.entryGone(id);
    this.#gone = new Set(gone);
  }

  stop(): Promise<void> {
    return this.#awaited.stop();
  }

  async #acceptWindow(entries: readonly Entry[], areNew: boolean): Promise<void> {
    const { store, keys } = this.#options;
    const unknown = entries
      .filter((entry) => this.#isWellFormed(entry) && !this.#isKnown(lastSegment(entry.key)))
      .filter((entry) => !(areNew && this.#isAwaited(entry)));
    const { name, node, onPostponed } = this.#options;
    // At one revision: whoever was frozen and has lost the name learns it together with what the firing is.
    const wanted = [keys.node(node), ...unknown.map(({ key }) => keys.firing(lastSegment(key)))];
    const [presence, ...firings] = unknown.length === 0 ? [] : await store.getMany(wanted);
    if (unknown.length > 0 && name?.confirms(presence) === false) {
      name.look();
      onPostponed(nameNotHeld());
      return;
    }
    const there: StoredFiring[] = [];
    for (const [index, { key, modRevision }] of unknown.entries()) {
      const entry = firings[index];
      if (entry === undefined) this.#awaited.expect(lastSegment(key), modRevision);
      else there.push({ id: lastSegment(key), entry });
    }
    await this.#taker.take(there);
    for (const entry of entries) await this.#heedKillWish(entry);
  }

  /** A firing that is about to come need not be looked for at once. */
  #isAwaited({ key, value, modRevision }: Entry): boolean {
    const targets = targetsOfEarlyEntry(value);
    return targets !== undefined && this.#awaited.expect(lastSegment(key), modRevision, publishingMs(targets));
  }

  async #heedKillWish(stored: Entry): Promise<void> {
    // Entries are many, and this is rare: no entry is parsed twice for nothing.
    const { elsewhere } = this.#options;
    if (!stored.value.includes('"kill"') || elsewhere === undefined) return;
    const [entry] = readable(parseInboxEntry, stored);
    if (!entry || entry.kill === null) return;
    try {
      await elsewhere.killWished(entry.firing, entry.kill);
    } catch (thrown) {
      const error = asTriggerdError(thrown);
      if (error.retryable) throw error;
      this.#notices.once(`kill ${entry.firing}`, { firing: entry.firing, error }, 'Cannot kill a job');
    }
  }

  #isWellFormed({ key, value }: Entry): boolean {
    const id = lastSegment(key);
    const isDirect = key === this.#options.keys.inbox(this.#options.node, id);
    try {
      if (isDirect && isFiringId(id) && parseInboxEntry(key, value).firing === id) return true;
      this.#notices.once(key, { key }, 'Ignoring a foreign key in the inbox');
    } catch (error) {
      this.#notices.once(key, { error }, 'Ignoring a malformed inbox entry');
    }
    return false;
  }

  #isKnown(id: string): boolean {
    const { firings, outcomes } = this.#options;
    const logged = firings.find(id);
    if (logged === undefined) return false;
    if (isPublishedFinal(logged.published)) outcomes.publishAgain(id);
    else this.#untold.push(id);
    return true;
  }
}
