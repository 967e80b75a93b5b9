import { ulid } from 'ulid';
import { asTriggerdError, TriggerdError } from '../../domain/errors.ts';
import type { RequestRecord } from '../../domain/request-record.ts';
import { type BusKeys, serializePage, serializeRecord } from '../../fleet/brokers/wire.ts';
import type { Log } from '../../kit/log.ts';
import { Outage } from '../../kit/outage.ts';
import { Alarm, pause } from '../../kit/pause.ts';
import { TokenBucket, TokenBuckets } from '../../kit/token-bucket.ts';
import type { KeyStore } from '../../store/key-store.ts';
import type { HistorySink } from '../options.ts';

export interface HistoryPagesOptions {
  readonly store: Pick<KeyStore, 'commit'>;
  readonly keys: BusKeys;
  /** Throws `etcd-nearly-full` where the space that is left is for firings. Default: etcd has space. */
  readonly assertSpace?: (bytes: number) => Promise<void>;
  /** Monotonic ms. */
  readonly now?: () => number;
  readonly log: Log;
}

/** How long a first record waits for others. ms. */
const gatherMs = 200;
/** Least time between two pages, so that one request a second does not make a page for each request. ms. */
const betweenMs = 1_000;
const pageRecords = 200;
const pageBytes = 262_144;
/** A record that is longer than a page keeps so many legs, without their output. */
const keptLegs = 500;
const keptReason = 100;
/** Limits of the records that wait while etcd is away; beyond them the oldest are dropped. */
const maxWaitingRecords = 20_000;
const maxWaitingBytes = 16_777_216;
/** What a flood may write: etcd keeps also what was deleted until it compacts, an hour as a rule. Bytes, and bytes a second. */
const burstBytes = 33_554_432;
const steadyBytes = 65_536;
/** Share of these limits for the requests of one user, so that no user's flood pushes out the records of others. */
const userShare = 0.25;

interface Waiting {
  readonly team: string;
  /** The record as it is written: escapes can make it much longer than its fields. */
  readonly text: string;
  readonly bytes: number;
}

interface Page {
  readonly id: string;
  readonly team: string;
  readonly records: readonly string[];
}

/**
 * Records of requests, gathered into pages: a key for each would be more than etcd should hold. A page is of one team.
 * What etcd does not take waits, so much and no more: a history with a gap is better than a broker without memory.
 */
export class HistoryPages implements HistorySink {
  readonly #options: HistoryPagesOptions;
  readonly #stop = new AbortController();
  readonly #alarm = new Alarm();
  readonly #away: Outage;
  readonly #running: Promise<void>;
  #waiting: Waiting[] = [];
  /** The page that is being written. */
  #page: Page | undefined;
  #bytes = 0;
  #dropped = 0;
  /** Bytes that may be written now: of all, and of each user. */
  readonly #budget: TokenBucket;
  readonly #budgetOfUsers: TokenBuckets;

  constructor(options: HistoryPagesOptions) {
    this.#options = options;
    const now = options.now ?? (() => performance.now());
    this.#budget = new TokenBucket({ burst: burstBytes, perSecond: steadyBytes }, now);
    this.#budgetOfUsers = new TokenBuckets({ burst: burstBytes * userShare, perSecond: steadyBytes * userShare }, now);
    this.#away = new Outage(options.log, {
      begins: 'Cannot write records of requests to etcd; retrying, and only the newest wait',
      ends: 'Records of requests are written again',
    });
    this.#running = this.#run();
  }

  /** Records that were given up since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  record(record: RequestRecord): void {
    const whole = serializeRecord(record);
    const text = whole.length > pageBytes ? serializeRecord(shortened(record)) : whole;
    const bytes = Buffer.byteLength(text);
    const budget = this.#budgetOfUsers.of(record.user);
    if (budget.msUntil(0) > 0) {
      this.#dropped++;
      return;
    }
    budget.spend(bytes);
    this.#waiting.push({ team: record.team, text, bytes });
    this.#bytes += bytes;
    while (this.#waiting.length > maxWaitingRecords || this.#bytes > maxWaitingBytes) this.#drop();
    this.#alarm.ring();
  }

  /** Writes what waits, if etcd takes it at once. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#write(Number.POSITIVE_INFINITY).catch((error: unknown) => {
      const records = this.#waiting.length + (this.#page?.records.length ?? 0);
      this.#options.log.warn({ error, records }, 'Records of requests are lost: etcd cannot be reached');
    });
  }

  #drop(): void {
    const dropped = this.#waiting.splice(0, Math.ceil(this.#waiting.length / 10));
    this.#dropped += dropped.length;
    for (const { bytes } of dropped) this.#bytes -= bytes;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#alarm.wait(2_147_483_647, signal);
      await pause(gatherMs, signal);
      if (signal.aborted) return;
      try {
        await this.#write();
        this.#away.over();
        if (this.#waiting.length > 0) this.#alarm.ring();
        await pause(Math.max(betweenMs - gatherMs, this.#budget.msUntil(0)), signal);
      } catch (error) {
        this.#alarm.ring();
        await pause(this.#away.failed(asTriggerdError(error)), signal);
      }
    }
  }

  /**
   * All that waits, page by page, as far as the budget goes. Throws the store's errors: then the same page has its turn
   * again under the same key.
   */
  async #write(overdraft = 0): Promise<void> {
    const { store, keys } = this.#options;
    while (this.#budget.msUntil(0) <= overdraft) {
      this.#page ??= this.#nextPage();
      if (this.#page === undefined) return;
      const { id, team, records } = this.#page;
      const value = serializePage(records);
      const bytes = Buffer.byteLength(value);
      if (!(await this.#hasSpace(bytes))) {
        this.#dropped += records.length;
        this.#page = undefined;
        continue;
      }
      await store.commit({ compare: [], write: [{ put: keys.history(team, id, bytes), value }] });
      this.#budget.spend(bytes);
      this.#page = undefined;
    }
  }

  /** Records are the first thing that is given up where etcd is nearly full. */
  async #hasSpace(bytes: number): Promise<boolean> {
    try {
      await this.#options.assertSpace?.(bytes);
      return true;
    } catch (error) {
      if (!(error instanceof TriggerdError) || error.code !== 'etcd-nearly-full') throw error;
      return false;
    }
  }

  /** Takes the oldest record that waits, and further ones of the same team. */
  #nextPage(): Page | undefined {
    const team = this.#waiting[0]?.team;
    if (team === undefined) return undefined;
    const records: string[] = [];
    const rest: Waiting[] = [];
    let size = 0;
    for (const each of this.#waiting) {
      const fits = records.length < pageRecords && (records.length === 0 || size + each.bytes <= pageBytes);
      if (each.team !== team || !fits) rest.push(each);
      else {
        records.push(each.text);
        size += each.bytes;
      }
    }
    this.#waiting = rest;
    this.#bytes -= size;
    return { id: ulid(), team, records };
  }
}

/** A request to hundreds of workers makes a record that etcd, which takes about 1 MiB, would refuse for ever. */
const shortened = (record: RequestRecord): RequestRecord => ({
  ...record,
  legs: record.legs.slice(0, keptLegs).map(({ output_tail_base64: _bytes, ...leg }) => ({
    ...leg,
    reason: leg.reason?.slice(0, keptReason) ?? null,
    output_tail: '',
  })),
});
