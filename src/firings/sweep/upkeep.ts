import { asTriggerdError } from '../../domain/errors.ts';
import type { Log } from '../../kit/log.ts';
import { type EtcdMaintenance, isNearlyFull, type MemberState } from '../../store/space.ts';

/** Below this share of the quota nothing is done. */
const busyAt = 0.5;
/** A file that is so much larger than what is in use in it is rewritten. */
const looseness = 1.5;
/** The alarm is disarmed when no file is larger than this share of the quota. */
const roomyAt = 0.9;
/** In need, history that is older than this goes: every daemon lists anew within a minute anyway. */
const urgentKeepMs = 60_000;
/** Between two defragmentations of the same member. */
const defragmentEveryMs = 3_600_000;
const defragmentInNeedEveryMs = 300_000;
/** After a refusal, and between two log lines about the same. */
const quietMs = 3_600_000;

export type UpkeepMode = 'auto' | 'always' | 'never';

interface UpkeepOptions {
  readonly maintenance: EtcdMaintenance;
  /** `auto`: only while etcd has no keys but ours. */
  readonly mode: UpkeepMode;
  /** History that is younger than this is never compacted away, unless etcd is nearly full: then a minute is kept. */
  readonly compactAfterMs: number;
  readonly log: Log;
  /** Monotonic ms. */
  readonly now?: () => number;
}

interface Sample {
  readonly revision: bigint;
  readonly at: number;
}

type Up = Extract<MemberState, { readonly kind: 'up' }>;

/**
 * Keeps etcd's file small: compacts history, defragments members, disarms the alarm. Nothing of this is done before half of
 * the quota is in use. How old a revision is, is known by having seen it: whoever begins has seen none, and compacts nothing
 * until enough time has passed.
 */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #now: () => number;
  readonly #samples: Sample[] = [];
  /** When each member was defragmented, and until when it is left alone. */
  readonly #rests = new Map<string, { readonly since: number; readonly until: number }>();
  readonly #toldAt = new Map<string, number>();
  #compacted = 0n;
  #compactedAt = Number.NEGATIVE_INFINITY;
  #restsUntil = Number.NEGATIVE_INFINITY;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * Looks, and does what is needed. `mayGoOn` is asked before every step. False: there is more to do soon. Never throws: a
   * problem is logged once an hour.
   */
  async tend(mayGoOn: () => boolean): Promise<boolean> {
    if (this.#options.mode === 'never' || this.#now() < this.#restsUntil) return true;
    try {
      return await this.#tend(mayGoOn);
    } catch (thrown) {
      const error = asTriggerdError(thrown);
      // Not this user's right: asking again each round would only fill etcd's log.
      if (error.code === 'etcd-refused') this.#restsUntil = this.#now() + quietMs;
      this.#tell(error.code, { error }, 'Could not compact or defragment etcd; the sweeper does its other work');
      return true;
    }
  }

  async #tend(mayGoOn: () => boolean): Promise<boolean> {
    const members = await this.#members();
    const up = members.filter((member): member is Up => member.kind === 'up');
    this.#sample(up);
    if (!up.some((member) => isUsed(member) || isLoose(member)) || !mayGoOn()) return true;
    if (this.#options.mode === 'auto' && (await this.#options.maintenance.hasOtherKeys())) {
      const what =
        'etcd fills up, and has keys of others; compact and defragment it, or set [sweeper] upkeep = "always"';
      this.#tell('others', {}, what);
      return true;
    }
    const hasCompacted = await this.#compact(up);
    // etcd counts what a compaction has freed a moment later.
    if (hasCompacted || !mayGoOn()) return !hasCompacted;
    const hasDefragmented = await this.#defragment(members, mayGoOn);
    await this.#disarm();
    return !hasDefragmented;
  }

  #members(): Promise<MemberState[]> {
    return this.#options.maintenance.members();
  }

  #sample(up: readonly Up[]): void {
    const at = this.#now();
    const revision = up.reduce(
      (least, member) => (member.revision < least ? member.revision : least),
      up[0]?.revision ?? 0n,
    );
    const last = this.#samples.at(-1);
    const { compactAfterMs } = this.#options;
    if (last === undefined || at - last.at >= Math.min(urgentKeepMs, compactAfterMs) / 10)
      this.#samples.push({ revision, at });
    // One that is old enough is needed, no older ones.
    while ((this.#samples[1]?.at ?? at) <= at - compactAfterMs) this.#samples.shift();
  }

  /** True: something was freed. */
  async #compact(up: readonly Up[]): Promise<boolean> {
    const { compactAfterMs, maintenance, log } = this.#options;
    const keepMs = up.some(isInNeed) ? Math.min(urgentKeepMs, compactAfterMs) : compactAfterMs;
    const now = this.#now();
    const old = this.#samples.findLast(({ at }) => at <= now - keepMs);
    if (!up.some(isUsed)) return false;
    if (old === undefined || old.revision <= this.#compacted || now - this.#compactedAt < keepMs) return false;
    await maintenance.compact(old.revision);
    this.#compacted = old.revision;
    this.#compactedAt = now;
    log.info({ revision: String(old.revision), keptMs: keepMs }, 'Compacted etcd');
    return true;
  }

  /** One member at a time, the leader last, none while another one is not well. True: there may be another one. */
  async #defragment(members: readonly MemberState[], mayGoOn: () => boolean): Promise<boolean> {
    const { log } = this.#options;
    const up = members.filter((member): member is Up => member.kind === 'up');
    const loose = up.filter((member) => this.#isDue(member)).sort((a, b) => Number(a.isLeader) - Number(b.isLeader));
    const [next] = loose;
    if (next === undefined) return false;
    const unwell = members.find((member) => member.kind === 'away' || !member.isHealthy);
    if (unwell !== undefined) {
      this.#tell(
        'unwell',
        { member: unwell.id },
        'etcd’s file is much larger than needed; a member is not well, so none is defragmented',
      );
      return false;
    }
    if (up.some(({ version }) => !isSafeToDefragment(version))) {
      this.#tell(
        'version',
        { version: next.version },
        'This version of etcd may lose data in a defragmentation that is interrupted; update it',
      );
      return false;
    }
    if (!mayGoOn()) return false;
    await this.#rewrite(next);
    log.info(
      { endpoint: next.endpoint, before: next.fileBytes, used: next.usedBytes },
      'Defragmented a member of etcd',
    );
    return true;
  }

  /** When the same member may be next: later, if it was in vain because what is there is really needed. */
  async #rewrite({ id, endpoint, quotaBytes }: Up): Promise<void> {
    const inNeedMs = Math.min(defragmentInNeedEveryMs, 5 * this.#options.compactAfterMs);
    const since = this.#now();
    this.#rests.set(id, { since, until: since + defragmentEveryMs });
    await this.#options.maintenance.defragment(endpoint);
    const after = (await this.#members()).find((member) => member.id === id);
    const hasHelped = after?.kind === 'up' && after.fileBytes <= roomyAt * quotaBytes;
    if (hasHelped) this.#rests.set(id, { since, until: since + inNeedMs });
  }

  #isDue(member: Up): boolean {
    const { since, until } = this.#rests.get(member.id) ?? { since: Number.NEGATIVE_INFINITY, until: 0 };
    if (this.#now() < until) return false;
    // An etcd that is full commits nothing, and so does not count what a compaction has freed.
    return isLoose(member) || (member.hasNoSpace && this.#compactedAt > since);
  }

  async #disarm(): Promise<void> {
    const members = await this.#members();
    const isUp = members.every((member) => member.kind === 'up');
    const up = members.filter((member): member is Up => member.kind === 'up');
    if (!isUp || !up.some(({ hasNoSpace }) => hasNoSpace)) return;
    if (up.some(({ fileBytes, quotaBytes }) => fileBytes > roomyAt * quotaBytes)) return;
    await this.#options.maintenance.disarmNoSpace();
    this.#options.log.info({}, 'etcd has space again; disarmed its NOSPACE alarm');
  }

  #tell(about: string, facts: Readonly<Record<string, unknown>>, message: string): void {
    const now = this.#now();
    if (now - (this.#toldAt.get(about) ?? Number.NEGATIVE_INFINITY) < quietMs) return;
    this.#toldAt.set(about, now);
    this.#options.log.warn(facts, message);
  }
}

const isInNeed = (member: Up): boolean => member.hasNoSpace || isNearlyFull(member);

const isUsed = (member: Up): boolean => isInNeed(member) || member.usedBytes >= busyAt * member.quotaBytes;

const isLoose = ({ fileBytes, usedBytes, quotaBytes }: Up): boolean =>
  fileBytes >= busyAt * quotaBytes && fileBytes >= looseness * usedBytes;

/**
 * Whether a member of this version may be defragmented by a program. One of 3.5.0 to 3.5.5 that is killed meanwhile comes back
 * with other data than its peers (etcd-io/etcd#14685); a person who defragments it can look.
 */
export const isSafeToDefragment = (version: string): boolean => {
  const [major, minor, patch = 0] = version.split(/[.+-]/).map(Number);
  return !(major === 3 && minor === 5 && patch < 6);
};
