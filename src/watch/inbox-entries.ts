import { asTriggerdError, type TriggerdError } from '../domain/errors.ts';
import { type Firing, isExpired, isFiringId } from '../domain/firing.ts';
import type { Log } from '../domain/log.ts';
import { isFinal, type Stage, skippedOutcome } from '../domain/outcome.ts';
import type { Clock, FiringLog } from '../queue/ports.ts';
import { AwaitedFirings } from './awaited-firings.ts';
import { type Keys, lastSegment } from './keys.ts';
import type { DecideJob, Entry, Intake, KeyStore } from './ports.ts';
import { recordOutcome } from './record-outcome.ts';
import { parseFiring, parseInboxEntry } from './wire.ts';

/** How many firings are read at once. */
const window = 64;
/** Keys that were complained about; beyond this the oldest may be complained about again. */
const maxNoticed = 1_000;

/** Who tells etcd what became of a firing. */
export interface OutcomeSink {
  /** The firing's state here may have changed. */
  publish(firing: string): void;
  /** etcd owes this firing still, although its end was published. */
  publishAgain(firing: string): void;
}

export interface InboxEntriesOptions {
  readonly store: KeyStore;
  readonly keys: Keys;
  readonly node: string;
  readonly firings: Pick<FiringLog, 'find'>;
  readonly intake: Intake;
  readonly decideJob: DecideJob;
  readonly outcomes: OutcomeSink;
  readonly clock: Clock;
  readonly log: Log;
  /** The queue or the journal takes nothing now: list again, later. */
  readonly onPostponed: (error: TriggerdError) => void;
}

/**
 * What becomes of inbox entries. An entry whose firing is *known* in the journal is skipped; one whose firing does not
 * exist yet is *awaited*; every other firing is *accepted* or *refused*, both in the journal, and a malformed one ends
 * with an outcome in etcd that says so. What the queue can't take now is *postponed*: it stays owed.
 */
export class InboxEntries {
  readonly #options: InboxEntriesOptions;
  readonly #awaited: AwaitedFirings;
  readonly #noticed = new Set<string>();
  #ignored = 0;

  constructor(options: InboxEntriesOptions) {
    this.#options = options;
    this.#awaited = new AwaitedFirings({
      store: options.store,
      firingKey: options.keys.firing,
      onAppeared: (id, firing) => this.#take(id, firing),
    });
  }

  /** Foreign keys seen below the inbox, and entries whose firing is awaited. */
  get counts(): { readonly ignored: number; readonly awaited: number } {
    return { ignored: this.#ignored, awaited: this.#awaited.count };
  }

  /** Entries in the order of their creation. Throws only for etcd. */
  async accept(entries: readonly Entry[], signal: AbortSignal): Promise<void> {
    const inOrder = entries.toSorted((a, b) => Number(a.createRevision - b.createRevision));
    for (let from = 0; from < inOrder.length && !signal.aborted; from += window) {
      await this.#acceptWindow(inOrder.slice(from, from + window));
    }
  }

  /** An entry that is gone: nobody waits for its firing any more. */
  vanished(key: string): void {
    this.#awaited.forget(lastSegment(key));
  }

  stop(): Promise<void> {
    return this.#awaited.stop();
  }

  async #acceptWindow(entries: readonly Entry[]): Promise<void> {
    const { store, keys } = this.#options;
    const unknown = entries.filter((entry) => this.#isWellFormed(entry) && !this.#isKnown(lastSegment(entry.key)));
    const firings = await Promise.all(unknown.map((entry) => store.get(keys.firing(lastSegment(entry.key)))));
    for (const [index, entry] of unknown.entries()) {
      const firing = firings[index];
      if (firing === undefined) this.#awaited.expect(lastSegment(entry.key), entry.modRevision);
      else await this.#take(lastSegment(entry.key), firing);
    }
  }

  #isWellFormed(entry: Entry): boolean {
    const id = lastSegment(entry.key);
    const isDirect = entry.key === this.#options.keys.inbox(this.#options.node, id);
    try {
      if (isDirect && isFiringId(id) && parseInboxEntry(entry.key, entry.value) === id) return true;
      this.#notice(entry.key, { key: entry.key }, 'Ignoring a foreign key in the inbox.');
    } catch (error) {
      this.#notice(entry.key, { error }, 'Ignoring a malformed inbox entry.');
    }
    return false;
  }

  #isKnown(id: string): boolean {
    const { firings, outcomes } = this.#options;
    const logged = firings.find(id);
    if (logged === undefined) return false;
    if (isPublishedFinal(logged.published)) outcomes.publishAgain(id);
    else outcomes.publish(id);
    return true;
  }

  async #take(id: string, stored: Entry): Promise<void> {
    let firing: Firing;
    try {
      firing = parseFiring(stored.key, stored.value);
    } catch (error) {
      return this.#refuseMalformed(id, asTriggerdError(error));
    }
    if (firing.id !== id) return this.#refuseMalformed(id, asTriggerdError(new Error('the id in it is another one')));
    this.#journal(firing);
  }

  /** Synchronous: between the look into the journal and the write nothing else happens. */
  #journal(firing: Firing): void {
    const { intake, outcomes } = this.#options;
    try {
      const decision = this.#decide(firing);
      if ('refusal' in decision) intake.refuse(firing, decision.refusal);
      else this.#accept(firing, decision);
      outcomes.publish(firing.id);
    } catch (thrown) {
      this.#notJournalled(firing, asTriggerdError(thrown));
    }
  }

  #decide(firing: Firing): ReturnType<DecideJob> {
    const { node, clock, decideJob } = this.#options;
    if (!firing.targets.includes(node)) return { refusal: 'this node is not one of its targets' };
    if (isExpired(firing, clock.now())) return { refusal: 'expired' };
    return decideJob(firing);
  }

  /** What could never run (an unknown plugin, wrong arguments) is refused; what can't be taken now is not. */
  #accept(firing: Firing, { request }: Extract<ReturnType<DecideJob>, { request: unknown }>): void {
    const { intake, log } = this.#options;
    try {
      const { kind } = intake.accept(firing, request);
      const facts = { firing: firing.id, trigger: firing.trigger, origin: firing.origin.node, kind };
      if (kind !== 'known') log.info(facts, 'Accepted a firing.');
    } catch (thrown) {
      const error = asTriggerdError(thrown);
      if (error.retryable || error.code === 'internal') throw error;
      intake.refuse(firing, error.message);
    }
  }

  #notJournalled(firing: Firing, error: TriggerdError): void {
    if (error.retryable) this.#options.onPostponed(error);
    else this.#notice(firing.id, { firing: firing.id, error }, 'A firing can not be accepted; it stays owed.');
  }

  /** It can't be journalled, so etcd alone keeps its end; without that it would be owed for ever. */
  async #refuseMalformed(id: string, error: TriggerdError): Promise<void> {
    const { node, clock, store, keys } = this.#options;
    this.#notice(id, { firing: id, error }, 'A firing is malformed; it ends as skipped.');
    await recordOutcome({ store, keys }, skippedOutcome(id, node, `malformed: ${error.message}`, clock.now()));
  }

  #notice(key: string, fields: Readonly<Record<string, unknown>>, message: string): void {
    if (this.#noticed.has(key)) return;
    const oldest = this.#noticed.values().next();
    if (this.#noticed.size >= maxNoticed && !oldest.done) this.#noticed.delete(oldest.value);
    this.#noticed.add(key);
    this.#ignored++;
    this.#options.log.warn(fields, message);
  }
}

/** `published` is `<stage>/<attempt>`. */
export const isPublishedFinal = (published: string | null): boolean =>
  published !== null && isFinal(published.split('/')[0] as Stage);
