import { asTriggerdError, TriggerdError } from '../domain/errors.ts';
import type { Log } from '../kit/log.ts';

/** A measurement is good for so long… */
const maxAgeMs = 10_000;
/** …unless so much of the quota has been written since. */
const maxUnmeasuredShare = 0.005;
/** After a measurement that failed. */
const retryMs = 30_000;

interface SpaceOptions {
  /** Throws the store's errors. */
  readonly measure: () => Promise<EtcdSpace>;
  readonly log: Log;
}

/**
 * How full etcd is, for those who write what is not a firing. It is measured when somebody wants to write, and what was
 * written since counts. While nobody can tell, there is room: etcd itself refuses what it cannot take.
 */
export class Space {
  readonly #options: SpaceOptions;
  #known: { readonly space: EtcdSpace; readonly at: number } | undefined;
  #written = 0;
  #failedAt = Number.NEGATIVE_INFINITY;
  #measuring: Promise<void> | undefined;
  #isTold = false;

  constructor(options: SpaceOptions) {
    this.#options = options;
  }

  /** As measured at most `maxAgeMs` ago; undefined when etcd does not say. Never throws. */
  async current(atMostMs = maxAgeMs): Promise<EtcdSpace | undefined> {
    await this.#measureIfOld(atMostMs);
    return this.#known?.space;
  }

  /** Counts bytes that are about to be written. Throws `etcd-nearly-full`, and then they must not be. */
  async assertSpace(bytes: number): Promise<void> {
    this.#written += bytes;
    await this.#measureIfOld(maxAgeMs);
    const known = this.#known?.space;
    if (known === undefined) return;
    const { fileBytes, usedBytes, quotaBytes } = known;
    if (!isNearlyFull({ fileBytes, usedBytes: usedBytes + this.#written, quotaBytes })) return;
    this.#written = Math.max(0, this.#written - bytes);
    throw new TriggerdError(
      'etcd-nearly-full',
      `etcd uses ${inMiB(usedBytes)} in ${inMiB(fileBytes)} of its ${inMiB(quotaBytes)}; the rest is reserved for firings`,
      { details: { retry_after_ms: 60_000 } },
    );
  }

  async #measureIfOld(atMostMs: number): Promise<void> {
    const now = performance.now();
    const known = this.#known;
    const isFresh =
      known !== undefined &&
      now - known.at < atMostMs &&
      this.#written < Math.max(65_536, maxUnmeasuredShare * known.space.quotaBytes);
    if (isFresh || (this.#measuring === undefined && now - this.#failedAt < retryMs)) return;
    this.#measuring ??= this.#measure().finally(() => {
      this.#measuring = undefined;
    });
    await this.#measuring;
  }

  async #measure(): Promise<void> {
    const written = this.#written;
    try {
      this.#known = { space: await this.#options.measure(), at: performance.now() };
      this.#written -= written;
      this.#failedAt = Number.NEGATIVE_INFINITY;
      this.#isTold = false;
    } catch (error) {
      // Neither a size of long ago nor one that is guessed is a reason to refuse.
      this.#known = undefined;
      this.#failedAt = performance.now();
      if (!this.#isTold) this.#options.log.warn({ error: asTriggerdError(error) }, 'etcd does not report its size');
      this.#isTold = true;
    }
  }
}

const inMiB = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`;

/** How full an etcd is. One rule for whoever refuses, cleans up, warns or shows it. */
export interface EtcdSpace {
  /** The largest database file of all members that answered. etcd's quota is compared with this. */
  readonly fileBytes: number;
  /** What is in use in it. The rest is used again before the file grows. */
  readonly usedBytes: number;
  readonly quotaBytes: number;
}

/** etcd's own default of `--quota-backend-bytes`. */
export const defaultQuotaBytes = 2_147_483_648;
/** Quota of an etcd that the daemon starts itself. */
export const embeddedQuotaBytes = 536_870_912;

const nearlyFull = 0.8;
/** The file itself: its next page may be the one beyond the quota, however much is free in it. */
const fileNearlyFull = 0.95;
const filling = 0.6;

/** Only firings, outcomes and presence are written from here on. */
export const isNearlyFull = ({ fileBytes, usedBytes, quotaBytes }: EtcdSpace): boolean =>
  usedBytes >= nearlyFull * quotaBytes || fileBytes >= fileNearlyFull * quotaBytes;

/** Somebody should look, while there is time. */
export const isFilling = ({ fileBytes, usedBytes, quotaBytes }: EtcdSpace): boolean =>
  usedBytes >= filling * quotaBytes || fileBytes >= nearlyFull * quotaBytes;

/** What keeps an etcd itself in order. Every call throws the store's errors; `etcd-refused`: this user has no right to it. */
export interface EtcdMaintenance {
  /** Of the members that are configured and answer. */
  measure(): Promise<EtcdSpace>;
  /** Every member of the cluster. */
  members(): Promise<MemberState[]>;
  /** Forgets what was overwritten or deleted before this revision; resolves when its space is free inside the file. */
  compact(revision: bigint): Promise<void>;
  /** Rewrites a member's file without the free space. The member answers nobody meanwhile. */
  defragment(endpoint: string): Promise<void>;
  disarmNoSpace(): Promise<void>;
  /** Whether there are keys outside our prefix. */
  hasOtherKeys(): Promise<boolean>;
}

export type MemberState =
  | { readonly kind: 'away'; readonly id: string; readonly name: string }
  | ({
      readonly kind: 'up';
      readonly id: string;
      readonly endpoint: string;
      readonly version: string;
      /** The store's revision that this member has reached. */
      readonly revision: bigint;
      readonly isLeader: boolean;
      /** It has a leader, is no learner, and complains of nothing but its space. */
      readonly isHealthy: boolean;
      readonly hasNoSpace: boolean;
    } & EtcdSpace);
