import PQueue from 'p-queue';
import { asTriggerdError } from '../../domain/errors.ts';
import { Outage } from '../../kit/outage.ts';
import { Alarm } from '../../kit/pause.ts';
import type { Entry, Fence, Lease, Write } from '../../store/key-store.ts';
import { instanceOf, serializePresence } from '../wire.ts';
import type { Holder } from './holder.ts';
import { type Judgement, judge, type NameState } from './judge.ts';
import { dueOf, type KeptKey, KeptKeys } from './kept-keys.ts';
import { NameRecords, type NameSnapshot } from './name-records.ts';
import { NameStatus } from './name-status.ts';
import type { NameGate, NameTiming, NodeNameOptions, Presence } from './ports.ts';
import { RememberedName } from './remembered-name.ts';
import { Rivals } from './rivals.ts';
import { Sightings } from './sightings.ts';

const defaultTiming: NameTiming = { presenceS: 20, holderS: 840, goneS: 600 };

/** Between two looks when somebody else has changed what we were about to change. ms. */
const againMs = 50;

/**
 * The name of this node, which one process in the fleet has. One loop: it reads what etcd has, judges whether the name is
 * ours to take, and holds it or waits.
 *
 *     asking ─── ours to take ───► held ◄─────┐
 *        │                          │         │ ours to take
 *        │                          ▼         │
 *        └── another has it ─► waiting or refused        refused: that one lives; waiting: it has probably ended
 *
 * Held is the presence, a key on a short lease; the holder key, on a long one, keeps other machines away for a while after
 * that. Each write compares what was read, so of two who ask at the same time one gets it. What else the process has under
 * its name lives on the same short lease. A read with each renewal, and no watch: a watch is a hint, and costs a connection
 * for each node. Without etcd the state stays as it is.
 */
export class NodeName implements NameGate {
  readonly self: Holder;
  readonly #options: NodeNameOptions;
  readonly #timing: NameTiming;
  readonly #stop = new AbortController();
  readonly #alarm = new Alarm();
  readonly #away: Outage;
  readonly #status: NameStatus;
  readonly #records: NameRecords;
  readonly #kept: KeptKeys;
  readonly #presence: KeptKey;
  readonly #sightings: Sightings;
  readonly #rivals: Rivals;
  readonly #remembered: RememberedName;
  #lease: Lease | undefined;
  /** The name is held on this lease, and its presence is this key. */
  #held: { readonly lease: Lease; readonly fence: Fence } | undefined;
  #isAdopted = false;
  #running: Promise<void> | undefined;
  /** One at a time: what is withdrawn is not written again by a step that has begun before. */
  readonly #steps = new PQueue({ concurrency: 1 });

  constructor(options: NodeNameOptions) {
    const { node, version, host, clock, memory, log, keys, store, tell } = options;
    this.#options = options;
    this.#timing = { ...defaultTiming, ...options.timing };
    this.self = { node, ...host.self, version, since: new Date(clock.now()).toISOString() };
    this.#remembered = new RememberedName(this.self, memory, log);
    this.#status = new NameStatus({ self: this.self, clock, log, tell });
    const holderS = options.takeover === 'adopt' ? null : this.#timing.holderS;
    this.#records = new NameRecords({ store, keys, clock, self: this.self, holderS });
    this.#sightings = new Sightings(this.self.instance, this.#timing);
    const { self } = this;
    const onRefused = (refused: Holder) => tell({ kind: 'node.refused', refused, holder: self });
    this.#rivals = new Rivals({ store, keys, self, everyMs: this.#everyMs, log, onRefused });
    this.#kept = new KeptKeys(
      () => this.#ring(),
      (closed) => this.#steps.add(() => this.#withdraw(closed)).catch(() => undefined),
    );
    this.#presence = this.#kept.add(keys.node(node), () => this.#document());
    this.#away = new Outage(log, {
      begins: 'Cannot renew this node’s presence in etcd; retrying',
      ends: 'This node’s presence in etcd is renewed again',
    });
  }

  get state(): NameState {
    return this.#status.state;
  }

  /** What a write that needs the name compares; undefined while it is not held. */
  get fence(): Fence | undefined {
    return this.isHeld() ? this.#held?.fence : undefined;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  isHeld(): boolean {
    return this.#held?.lease.isHeld() === true;
  }

  isRefused(): boolean {
    return this.#status.isRefused;
  }

  /** etcd does not answer. */
  get isAway(): boolean {
    return this.#status.isAway;
  }

  confirms(presence: Entry | undefined): boolean {
    return presence !== undefined && this.isHeld() && instanceOf(presence) === this.self.instance;
  }

  look(): void {
    this.#alarm.ring();
  }

  async held(signal: AbortSignal): Promise<void> {
    if (!this.isHeld()) this.look();
    const over = AbortSignal.any([signal, this.#stop.signal]);
    while (!this.isHeld() && !over.aborted) await this.#status.nextChange(over);
  }

  /** Resolves once etcd has answered, or is known to be away. */
  answered(): Promise<void> {
    return this.#status.answered(this.#stop.signal);
  }

  onChange(listener: () => void): () => void {
    return this.#status.onChange(listener);
  }

  /** The presence is written again, soon. */
  refresh(): void {
    this.#presence.refresh();
  }

  /** Keeps this key for as long as the name is held, with the value that `value()` gives, and no longer. */
  keep(key: string, value: () => string): Presence {
    const kept = this.#kept.add(key, value);
    this.#ring();
    return kept;
  }

  /** This machine is the one behind the name: it need not wait for another one's time to be over. */
  adopt(): void {
    this.#isAdopted = true;
    this.look();
  }

  /** From now on a process of this machine can have the name, another machine a while later. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#held = undefined;
    this.#records.leave();
    await this.#lease?.end();
  }

  /** Only while the name is ours; otherwise the key is somebody else's, or goes with the lease. */
  async #withdraw(kept: KeptKey): Promise<void> {
    this.#kept.delete(kept);
    const { fence } = this;
    if (fence !== undefined) await this.#options.store.commit({ compare: [fence], write: [{ delete: kept.key }] });
  }

  #ring(): void {
    // While etcd is away the pauses between the tries stay as they are.
    if (!this.#status.isAway) this.#alarm.ring();
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const pauseMs = await this.#tryStep();
      await this.#alarm.wait(pauseMs, this.#stop.signal);
    }
  }

  async #tryStep(): Promise<number> {
    try {
      const pauseMs = await this.#steps.add(() => this.#step());
      this.#status.isAway = false;
      this.#away.over();
      return pauseMs;
    } catch (error) {
      // What was about to be written may be there or not.
      this.#kept.forget();
      if (this.#stop.signal.aborted) return 0;
      this.#status.isAway = true;
      this.#status.changed();
      return this.#away.failed(asTriggerdError(error));
    }
  }

  /** Gives how long to wait for the next one. ms. */
  async #step(): Promise<number> {
    const lease = await this.#leased();
    const seen = await this.#records.read();
    const judgement = this.#judge(seen);
    if (this.#stop.signal.aborted) return 0;
    return judgement.kind === 'take' ? this.#hold(seen, lease) : this.#wait(judgement, lease);
  }

  async #leased(): Promise<Lease> {
    if (this.#lease?.isHeld() === true) return this.#lease;
    const lease = await this.#options.store.lease(this.#timing.presenceS);
    this.#lease = lease;
    this.#records.disappeared();
    this.#kept.forget();
    lease.lost.addEventListener('abort', () => this.#ring(), { once: true });
    return lease;
  }

  #judge(snapshot: NameSnapshot): Judgement {
    const { host } = this.#options;
    const [seen, sightings] = this.#sightings.see(snapshot);
    return judge(seen, {
      self: this.self,
      remembered: this.#remembered.now,
      lifeOf: (other) => host.lifeOf(other),
      isAdopted: this.#isAdopted,
      ...sightings,
    });
  }

  async #hold(seen: NameSnapshot, lease: Lease): Promise<number> {
    const isNew = this.state.kind !== 'held';
    if (isNew) this.#remembered.aboutToTake();
    if (seen.presence === undefined || instanceOf(seen.presence) !== this.self.instance) this.#presence.forget();
    const kept = await this.#kept.read(this.#options.store, this.#presence, seen.presence);
    const from = this.#records.otherMachine(seen);
    const own = await this.#records.due(seen, from);
    const due = dueOf(kept, lease);
    const writes = [...due.map(({ put }) => put), ...own];
    const revision = writes.length === 0 ? 0n : await this.#commit(seen, lease, writes);
    if (revision === undefined) return againMs;
    for (const { kept } of due) kept.wrote(revision);
    this.#records.disappeared();
    if (isNew) {
      this.#remembered.hasTaken();
      this.#isAdopted = false;
      this.#status.taken(from, this.#rivals.known);
    }
    await this.#answerRivals();
    return Math.max(1, Math.min(this.#everyMs, this.#kept.untilDueMs()));
  }

  async #answerRivals(): Promise<void> {
    const { isAsked, isNew } = await this.#rivals.look();
    // The answer to whoever asks is a presence that was written anew.
    if (isAsked) this.#presence.refresh();
    if (isNew) this.#status.refuses(this.#rivals.known);
  }

  get #everyMs(): number {
    return (this.#timing.presenceS * 1_000) / 3;
  }

  /** Undefined where what was read is not so any more; otherwise the revision of the writes. */
  async #commit(seen: NameSnapshot, lease: Lease, writes: readonly Write[]): Promise<bigint | undefined> {
    const written = await this.#records.commit(seen, writes);
    if (written === undefined) {
      this.#kept.forget();
      return undefined;
    }
    this.#held = { lease, fence: written.fence };
    this.#status.changed();
    return written.revision;
  }

  async #wait({ why, holder }: Extract<Judgement, { kind: 'wait' }>, lease: Lease): Promise<number> {
    this.#status.obstructed(why, holder);
    if (this.#held !== undefined) {
      this.#held = undefined;
      this.#records.leave();
      this.#status.changed();
      // What we have in etcd goes now, not when the lease has ended.
      await lease.end();
      return 1;
    }
    if (why === 'alive' || why === 'present') this.#remembered.refusedBy(holder);
    await this.#records.appear(why === 'predecessor' ? 'asking' : 'refused', holder, lease);
    return (this.#timing.presenceS * 1_000) / 4;
  }

  #document(): string {
    const { node, version, describe } = this.#options;
    return serializePresence({ node, version, instance: this.self.instance, ...describe() });
  }
}
