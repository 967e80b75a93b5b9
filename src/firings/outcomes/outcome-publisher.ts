import { setImmediate as nextTurn } from 'node:timers/promises';
import PQueue from 'p-queue';
import { asTriggerdError } from '../../domain/errors.ts';
import type { FiringId } from '../../domain/firing.ts';
import type { Job, JobId } from '../../domain/job.ts';
import { isFinal, type Outcome } from '../../domain/outcome.ts';
import type { NameGate } from '../../fleet/names/ports.ts';
import type { Log } from '../../kit/log.ts';
import { Outage } from '../../kit/outage.ts';
import { pause } from '../../kit/pause.ts';
import { withTimeout } from '../../kit/with-timeout.ts';
import type { FiringLog, LoggedFiring } from '../../queue/ports/journal.ts';
import type { Queues } from '../../queue/queues.ts';
import type { Keyspace } from '../../store/keys.ts';
import type { EndedElsewhere } from '../inbox/ended-elsewhere.ts';
import { nameNotHeld, type OutcomeSink } from '../inbox/take-firing.ts';
import type { FiringObserver } from '../ports.ts';
import { Marks } from './marks.ts';
import { type OutcomeSources, outcomeOfFiring } from './outcome-of-firing.ts';
import { isPublishedFinal, markOf } from './published.ts';
import { type Recorded, recordOutcome } from './record-outcome.ts';

/** Enough to fill etcd's group commits and our own (see marks.ts), few enough not to crowd out the inbox. */
const concurrency = 64;

export interface OutcomePublisherOptions extends Keyspace {
  readonly node: string;
  readonly firings: Pick<FiringLog, 'find' | 'unsettledIds' | 'markPublished'>;
  readonly queues: Pick<Queues, 'get' | 'onChange'>;
  /** Without it nobody else can have the node's name. */
  readonly name?: Pick<NameGate, 'isRefused'>;
  /** The end of what an ended job has printed; null when there is nothing. At most its last 4 KiB are published. */
  readonly readTail: (job: Job) => Promise<Uint8Array | null>;
  readonly observer?: Pick<FiringObserver, 'recorded'>;
  /** Told when the journal has learnt that somebody else has ended a firing. */
  readonly elsewhere?: Pick<EndedElsewhere, 'ended'>;
  readonly log: Log;
}

/**
 * Why a firing is looked at: its state may have *changed*; its entry has *gone*, so unless we have ended it, somebody else
 * has; *again*, because etcd owes what the journal says has ended. What comes later in this list includes what is before.
 */
const wishes = ['changed', 'gone', 'again'] as const;
type Wish = (typeof wishes)[number];

/**
 * Tells etcd what becomes of firings, from the journal.
 *
 * A firing is *wished* (something may have changed), then *in flight* (one transaction at a time), then, when it was
 * wished meanwhile, wished again. What is published is the state at the time of the flight, so a publisher that is
 * behind skips what is past. While etcd is away the whole queue pauses, and nothing is dropped.
 */
export class OutcomePublisher implements OutcomeSink {
  readonly #options: OutcomePublisherOptions;
  readonly #sources: OutcomeSources;
  readonly #flights = new PQueue({ concurrency });
  readonly #wishes = new Map<FiringId, Wish>();
  readonly #inFlight = new Set<FiringId>();
  readonly #away: Outage;
  readonly #marks: Marks;
  readonly #stop = new AbortController();
  #unsubscribe: () => void = () => undefined;
  #isPausing = false;
  #lastJob: Job | undefined;
  #tail: { readonly job: number; readonly attempt: number; readonly bytes: Promise<Uint8Array | null> } | undefined;

  constructor(options: OutcomePublisherOptions) {
    this.#options = options;
    this.#sources = {
      node: options.node,
      getJob: (id) => this.#getJob(id),
      readTail: (job) => this.#readTail(job),
    };
    this.#marks = new Marks(options.firings);
    this.#away = new Outage(options.log, {
      begins: 'Cannot publish outcomes; retrying, and they are kept',
      ends: 'Outcomes are published again',
    });
  }

  /** Takes up what an earlier run left unpublished, and follows the queue from now on. */
  start(): void {
    this.#unsubscribe = this.#options.queues.onChange((job) => this.#jobChanged(job));
    for (const id of this.#options.firings.unsettledIds()) this.publish(id);
  }

  publish(firing: FiringId): void {
    this.#wish(firing, 'changed');
  }

  publishAgain(firing: FiringId): void {
    this.#wish(firing, 'again');
  }

  entryGone(firing: FiringId): void {
    this.#wish(firing, 'gone');
  }

  /** Firings that etcd does not have in their present state yet. */
  get pending(): number {
    return this.#wishes.size + [...this.#inFlight].filter((id) => !this.#wishes.has(id)).length;
  }

  /** Publishes what is wished for within `flushMs`, then stops; the next start takes up the rest. */
  async close(flushMs: number): Promise<void> {
    this.#unsubscribe();
    await withTimeout(this.#flights.onIdle(), flushMs, () => undefined);
    this.#stop.abort();
    this.#flights.clear();
    this.#wishes.clear();
    this.#flights.start();
    await this.#flights.onIdle();
  }

  #jobChanged(job: Job): void {
    if (this.#lastJob?.id === job.id) this.#lastJob = job;
    for (const firing of job.firings) if (job.state !== 'queued' || this.#isTold(firing)) this.publish(firing);
  }

  /** etcd has heard of it. One that was just taken is told by who has taken it: of many, first all are taken. */
  #isTold(firing: FiringId): boolean {
    return this.#inFlight.has(firing) || typeof this.#options.firings.find(firing)?.published === 'string';
  }

  #wish(firing: FiringId, wish: Wish): void {
    if (this.#stop.signal.aborted) return;
    const before = this.#wishes.get(firing);
    this.#wishes.set(firing, before === undefined ? wish : stronger(before, wish));
    this.#launch();
  }

  /** As many as may fly. The others wait as wishes only: after a long absence they are very many. */
  #launch(): void {
    for (const firing of this.#wishes.keys()) {
      if (this.#inFlight.size >= concurrency || this.#stop.signal.aborted) return;
      if (this.#inFlight.has(firing)) continue;
      this.#inFlight.add(firing);
      // `#fly` handles its errors; p-queue's promise is not waited for.
      void this.#flights.add(() => this.#fly(firing));
    }
  }

  async #fly(firing: FiringId): Promise<void> {
    // What was just accepted is started first, if it can be; then `queued` is past already and need not be written.
    await nextTurn();
    const wish = this.#wishes.get(firing);
    this.#wishes.delete(firing);
    if (wish !== undefined) await this.#publishOrRetry(firing, wish);
    this.#inFlight.delete(firing);
    this.#launch();
  }

  async #publishOrRetry(firing: FiringId, wish: Wish): Promise<void> {
    try {
      await this.#publishNow(firing, wish);
      this.#away.over();
    } catch (error) {
      this.#failed(firing, wish, error);
    }
  }

  async #publishNow(firing: FiringId, wish: Wish): Promise<void> {
    const { firings, name } = this.#options;
    // What a copied journal says is not this node's word.
    if (name?.isRefused() === true) throw nameNotHeld();
    const logged = firings.find(firing);
    if (logged === undefined || (wish !== 'again' && isPublishedFinal(logged.published))) return;
    const outcome = await outcomeOfFiring(logged, this.#sources);
    if (wish === 'changed' && markOf(outcome) === logged.published) return;
    const recorded = await recordOutcome(this.#options, outcome);
    await this.#marks.add(firing, this.#markAfter(logged, outcome, recorded));
    if (recorded.kind === 'recorded') this.#options.observer?.recorded(outcome);
    if (recorded.kind === 'settled' && recorded.by !== null && isFinal(recorded.by.stage))
      await this.#options.elsewhere?.ended(logged, recorded.by);
  }

  /** What the journal remembers: ours, or the end that somebody else has given it meanwhile. */
  #markAfter({ firing }: LoggedFiring, outcome: Outcome, recorded: Recorded): string {
    if (recorded.kind === 'recorded') return markOf(outcome);
    const { by } = recorded;
    const facts = { firing: firing.id, stage: outcome.stage, recorded: by?.stage ?? null, reason: by?.reason ?? null };
    this.#options.log.info(facts, 'The firing is no longer owed to this node');
    return by !== null && isFinal(by.stage) ? markOf(by) : markOf(outcome);
  }

  #failed(firing: FiringId, wish: Wish, thrown: unknown): void {
    const error = asTriggerdError(thrown);
    if (error.code === 'internal') {
      this.#options.log.error({ firing, error }, 'Cannot publish an outcome');
      return;
    }
    this.#wishes.set(firing, stronger(this.#wishes.get(firing) ?? wish, wish));
    if (!this.#isPausing) void this.#pause(this.#away.failed(asTriggerdError(error)));
  }

  async #pause(ms: number): Promise<void> {
    this.#isPausing = true;
    this.#flights.pause();
    await pause(ms, this.#stop.signal);
    this.#isPausing = false;
    this.#flights.start();
  }

  /** A thousand firings of one job read it once: every change of it is announced. */
  #getJob(id: JobId): Job {
    if (this.#lastJob?.id !== id) this.#lastJob = this.#options.queues.get(id);
    return this.#lastJob;
  }

  /** A thousand firings of one job read its output once. */
  #readTail(job: Job): Promise<Uint8Array | null> {
    if (this.#tail?.job !== job.id || this.#tail.attempt !== job.attempt) {
      const bytes = this.#options.readTail(job);
      this.#tail = { job: job.id, attempt: job.attempt, bytes };
      bytes.catch(() => {
        this.#tail = undefined; // read anew with the next attempt to publish
      });
    }
    return this.#tail.bytes;
  }
}

const stronger = (a: Wish, b: Wish): Wish => (wishes.indexOf(a) > wishes.indexOf(b) ? a : b);
