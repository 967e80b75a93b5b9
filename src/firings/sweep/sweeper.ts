import { asTriggerdError, TriggerdError } from '../../domain/errors.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Log } from '../../kit/log.ts';
import { Outage } from '../../kit/outage.ts';
import { pause } from '../../kit/pause.ts';
import { Election, FenceLost } from '../../store/election.ts';
import type { HeldKey } from '../../store/key-store.ts';
import { type Keyspace, lastSegment } from '../../store/keys.ts';
import type { RoundOptions } from './part.ts';
import { Round } from './round.ts';
import type { Upkeep } from './upkeep.ts';

/** When a round has left something undone, the next one follows after this. */
const soonMs = 1_000;
/** Between what one daemon and the next one may do about a full etcd without being elected, in rounds. */
const roundsBetweenRescues = 4;
const maxRanks = 1_000;

export interface SweeperOptions extends Keyspace, Omit<RoundOptions, 'election'> {
  readonly node: string;
  /** Between two rounds; half of it between two tries to be elected. */
  readonly everyMs: number;
  readonly upkeep?: Pick<Upkeep, 'tend'>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * One daemon of all that share an etcd keeps it tidy: the one that is elected.
 *
 * A *candidate* asks now and then whether nobody is elected. *Elected*, it makes rounds (see round.ts), one after the
 * other, until it stops or may be elected no more: by its own clock, by a lease that is gone, or by a write that etcd
 * refuses because the election's key is another one. Then it is a candidate again, and begins from nothing: what it has
 * observed is worth nothing when it was not looking all the time. etcd's being away ends a round, not the election.
 *
 * An etcd that is full grants no lease, so nobody could be elected that would make room. Then the candidates
 * make room without it, one after the other: each waits longer than the one whose name comes before.
 */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #stop = new AbortController();
  readonly #away: Outage;
  #running: Promise<void> | undefined;
  #held: HeldKey | undefined;
  /** Since when etcd is too full for a candidate's lease. Monotonic ms. */
  #fullSince: number | undefined;

  constructor(options: SweeperOptions) {
    this.#options = options;
    this.#away = new Outage(options.log, {
      begins: 'Cannot delete finished entries from etcd; retrying',
      ends: 'Finished entries are deleted from etcd again',
    });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Whether this node is the one that sweeps. */
  get isElected(): boolean {
    return this.#held?.isHeld() ?? false;
  }

  /** Is elected no more; resolves when nothing of it is left running. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const held = await this.#stand();
      if (held !== undefined) await this.#serve(held);
      await pause(jittered(this.#options.everyMs / 2), this.#stop.signal);
    }
  }

  async #stand(): Promise<HeldKey | undefined> {
    const { store, keys, node, clock } = this.#options;
    const key = keys.election('sweeper');
    try {
      // Most ask in vain: that should not cost a lease.
      if ((await store.get(key)) !== undefined) return this.#notFull();
      const value = JSON.stringify({ format: 1, node, since: new Date(clock.now()).toISOString() });
      const held = await store.holdKey(key, value);
      this.#notFull();
      return held;
    } catch (error) {
      const waitMs = this.#away.failed(asTriggerdError(error));
      const isFull = error instanceof TriggerdError && error.code === 'etcd-no-space';
      await pause(isFull ? await this.#rescue() : waitMs, this.#stop.signal);
      return undefined;
    }
  }

  #notFull(): undefined {
    this.#fullSince = undefined;
  }

  /** Nobody is elected, and etcd is too full to elect anybody. How long to wait for the next try. */
  async #rescue(): Promise<number> {
    const { upkeep, everyMs } = this.#options;
    this.#fullSince ??= performance.now();
    try {
      const waitMs = (await this.#rank()) * roundsBetweenRescues * everyMs;
      const isOurTurn = performance.now() - this.#fullSince >= waitMs;
      if (isOurTurn && (await upkeep?.tend(() => !this.#stop.signal.aborted)) === false)
        return Math.min(soonMs, everyMs);
    } catch (error) {
      this.#options.log.warn({ error }, 'Cannot find out which member of etcd to defragment next');
    }
    return everyMs;
  }

  /** How many nodes that are up come before this one. */
  async #rank(): Promise<number> {
    const { store, keys, node } = this.#options;
    const { entries } = await store.page(keys.nodes, { limit: maxRanks, keysOnly: true });
    const names = entries.map(({ key }) => lastSegment(key));
    const own = names.indexOf(node);
    return own === -1 ? names.length : own;
  }

  async #serve(held: HeldKey): Promise<void> {
    const { log, store } = this.#options;
    const over = AbortSignal.any([this.#stop.signal, held.lost]);
    const round = new Round({ ...this.#options, election: new Election(store, held) });
    this.#held = held;
    log.info({}, 'This node is the sweeper');
    try {
      while (!over.aborted) await pause(await this.#sweep(round, held), over);
    } catch (error) {
      if (!(error instanceof FenceLost)) throw error;
    } finally {
      this.#held = undefined;
      if (!this.#stop.signal.aborted) log.info({}, 'This node is no longer the sweeper');
      await held.release();
    }
  }

  /** How long to wait for the next round. Throws `FenceLost`. */
  async #sweep(round: Round, held: HeldKey): Promise<number> {
    try {
      // First: a full etcd may refuse the round.
      const isTended = (await this.#options.upkeep?.tend(() => held.isHeld())) ?? true;
      const { isComplete } = await round.make();
      this.#away.over();
      return isComplete && isTended ? this.#options.everyMs : Math.min(soonMs, this.#options.everyMs);
    } catch (error) {
      if (error instanceof FenceLost) throw error;
      return this.#away.failed(asTriggerdError(error));
    }
  }
}

/** A fleet that was started at one time should not ask at one time. */
const jittered = (ms: number): number => ms * (0.75 + Math.random() / 4);
