import PQueue from 'p-queue';
import { asTriggerdError } from '../../domain/errors.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Log } from '../../kit/log.ts';
import { nextCall } from '../../kit/next-call.ts';
import { Outage } from '../../kit/outage.ts';
import { Alarm } from '../../kit/pause.ts';
import type { Entry, Fence, Lease, Write } from '../../store/key-store.ts';
import type { Place } from '../../store/place.ts';
import { readable } from '../../store/readable.ts';
import type { Presence } from '../presence.ts';
import { instanceOf, type PresenceDocument, parseMember, serializeMember, serializePresence } from '../wire.ts';
import { Absence } from './absence.ts';
import { type Holder, type HolderDocument, type MachineName, parseHolder, serializeHolder } from './holder.ts';
import { type Judgement, judge, type Obstacle } from './judge.ts';
import { KeptKey } from './kept-keys.ts';
import { LifeSigns } from './life-signs.ts';
import type { NameGate, NameHost, NameMemory, Remembered } from './ports.ts';
import { Rivals } from './rivals.ts';
import { type NameState, obstacleInWords } from './state.ts';

export interface NameTiming {
  /** For so long a name counts as held after its holder's last sign of life. Seconds. */
  readonly presenceS: number;
  /**
   * For so long another machine cannot have it. Seconds. Renewed every quarter: of 14 minutes there are more than 10 left
   * when the presence is over.
   */
  readonly holderS: number;
  /** Nor later than this after its presence was over, where another machine's daemon has looked all the while. Seconds. */
  readonly goneS: number;
}

const defaultTiming: NameTiming = { presenceS: 20, holderS: 840, goneS: 600 };

/** Between two looks when somebody else has changed what we were about to change. ms. */
const againMs = 50;

export interface NodeNameOptions extends Place {
  readonly node: string;
  readonly version: string;
  /** What the presence says besides. */
  readonly describe: () => Pick<PresenceDocument, 'roles' | 'startedAt' | 'queues'>;
  /** `adopt`: another machine never has the name by itself. */
  readonly takeover: 'auto' | 'adopt';
  readonly host: NameHost;
  readonly memory: NameMemory;
  readonly clock: Clock;
  readonly log: Log;
  readonly tell: (happened: NameHappening) => void;
  readonly timing?: Partial<NameTiming>;
}

/** What is news about names, on this node. */
export type NameHappening =
  | { readonly kind: 'node.refused'; readonly refused: Holder; readonly holder: Holder | null }
  | { readonly kind: 'node.taken-over'; readonly holder: Holder; readonly from: MachineName };

/**
 * The name of this node, which one process in the fleet has. One loop: it *reads* what etcd has, judges whether the
 * name is ours to take, and *holds* it or *waits*. Held is the presence, a key on a short lease; the holder key, on a
 * long one, keeps other machines away for a while after that. Each write compares what was read, so of two who ask at
 * the same time one gets it. What else the process has under its name lives on the same short lease. A read with each
 * renewal, and no watch: a watch is a hint, and costs a connection for each node.
 */
export class NodeName implements NameGate {
  readonly self: Holder;
  readonly #options: NodeNameOptions;
  readonly #timing: NameTiming;
  readonly #stop = new AbortController();
  readonly #alarm = new Alarm();
  readonly #away: Outage;
  readonly #listeners = new Set<() => void>();
  readonly #presence: KeptKey;
  readonly #kept = new Set<KeptKey>();
  readonly #signs: LifeSigns;
  readonly #absence: Absence;
  readonly #rivals: Rivals;
  #remembered: Remembered;
  #state: NameState;
  #lease: Lease | undefined;
  /** The name is held on this lease, and its presence is this key. */
  #held: { readonly lease: Lease; readonly fence: Fence } | undefined;
  #holderLease: Lease | undefined;
  /** How we have written ourselves down as one who waits, on the present lease. */
  #appearance: 'none' | 'asking' | 'refused' = 'none';
  #isAdopted = false;
  #isAway = false;
  #running: Promise<void> | undefined;
  /** One at a time: what is withdrawn is not written again by a step that has begun before. */
  readonly #steps = new PQueue({ concurrency: 1 });

  constructor(options: NodeNameOptions) {
    const { node, version, host, clock, memory, log, keys, store, tell } = options;
    this.#options = options;
    this.#timing = { ...defaultTiming, ...options.timing };
    this.self = { node, ...host.self, version, since: new Date(clock.now()).toISOString() };
    this.#remembered = memory.read(node);
    this.#state = { kind: 'asking', since: clock.now() };
    this.#signs = new LifeSigns(this.#timing.presenceS * 2_000, this.#timing.holderS * 750);
    this.#absence = new Absence(this.#timing.presenceS * 1_000, this.#timing.goneS * 1_000);
    const { self } = this;
    const onRefused = (refused: Holder) => tell({ kind: 'node.refused', refused, holder: self });
    this.#rivals = new Rivals({ store, keys, self, everyMs: this.#everyMs, log, onRefused });
    this.#presence = this.#keeping(keys.node(node), () => this.#document());
    this.#away = new Outage(log, {
      begins: 'Cannot renew this node’s presence in etcd; retrying',
      ends: 'This node’s presence in etcd is renewed again',
    });
  }

  get state(): NameState {
    return this.#state;
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
    return this.#state.kind === 'waiting' || this.#state.kind === 'refused';
  }

  /** etcd does not answer. */
  get isAway(): boolean {
    return this.#isAway;
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
    while (!this.isHeld() && !over.aborted) await this.#nextChange(over);
  }

  /** Resolves once etcd has answered, or is known to be away. */
  async answered(): Promise<void> {
    const { signal } = this.#stop;
    while (this.#state.kind === 'asking' && !this.#isAway && !signal.aborted) await this.#nextChange(signal);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The presence is written again, soon. */
  refresh(): void {
    this.#presence.refresh();
  }

  /** Keeps this key for as long as the name is held, with the value that `value()` gives, and no longer. */
  keep(key: string, value: () => string): Presence {
    const kept = this.#keeping(key, value);
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
    this.#holderLease?.leave();
    await this.#lease?.end();
  }

  #keeping(key: string, value: () => string): KeptKey {
    const kept = new KeptKey(
      key,
      value,
      () => this.#ring(),
      (closed) => this.#steps.add(() => this.#withdraw(closed)).catch(() => undefined),
    );
    this.#kept.add(kept);
    return kept;
  }

  /** Only while the name is ours; otherwise the key is somebody else's, or goes with the lease. */
  async #withdraw(kept: KeptKey): Promise<void> {
    this.#kept.delete(kept);
    const { fence } = this;
    if (fence !== undefined) await this.#options.store.commit({ compare: [fence], write: [{ delete: kept.key }] });
  }

  #ring(): void {
    // While etcd is away the pauses between the tries stay as they are.
    if (!this.#isAway) this.#alarm.ring();
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
      this.#isAway = false;
      this.#away.over();
      return pauseMs;
    } catch (error) {
      // What was about to be written may be there or not.
      for (const kept of this.#kept) kept.forget();
      if (this.#stop.signal.aborted) return 0;
      this.#isAway = true;
      this.#tell();
      return this.#away.failed(asTriggerdError(error));
    }
  }

  /** Gives how long to wait for the next one. ms. */
  async #step(): Promise<number> {
    const lease = await this.#leased();
    const seen = await this.#read();
    const judgement = this.#judge(seen);
    if (this.#stop.signal.aborted) return 0;
    return judgement.kind === 'take' ? this.#hold(seen, lease) : this.#wait(judgement, lease);
  }

  async #leased(): Promise<Lease> {
    if (this.#lease?.isHeld() === true) return this.#lease;
    const lease = await this.#options.store.lease(this.#timing.presenceS);
    this.#lease = lease;
    this.#appearance = 'none';
    for (const kept of this.#kept) kept.forget();
    lease.lost.addEventListener('abort', () => this.#ring(), { once: true });
    return lease;
  }

  async #read(): Promise<Snapshot> {
    const { store, keys, node } = this.#options;
    const [holder, member, presence] = await store.getMany([keys.holder(node), keys.member(node), keys.node(node)]);
    const kept = new Map<KeptKey, Entry | undefined>([[this.#presence, presence]]);
    for (const each of this.#kept) if (each !== this.#presence) kept.set(each, await this.#keyOf(each));
    const document = holder && readable(parseHolder, holder)[0];
    return { holder, document, member, presence, kept };
  }

  /** Without its value, which may be long. */
  async #keyOf({ key }: KeptKey): Promise<Entry | undefined> {
    const { entries } = await this.#options.store.page(key, { limit: 1, keysOnly: true });
    return entries.find((entry) => entry.key === key);
  }

  #judge({ holder, document, presence }: Snapshot): Judgement {
    const { host } = this.#options;
    const instance = presence && instanceOf(presence);
    const isOther = instance !== undefined && instance !== this.self.instance;
    this.#signs.see(presence && isOther ? { modRevision: presence.modRevision, instance } : undefined, !holder);
    // Without a lease it is kept for an administrator to give away.
    this.#absence.see(!isOther && holder?.isLeased ? holder.modRevision : undefined);
    return judge(
      { holder: holder && (document ?? 'unreadable'), presence: instance === undefined ? undefined : { instance } },
      {
        self: this.self,
        remembered: this.#remembered,
        lifeOf: (other) => host.lifeOf(other),
        isProven: this.#signs.isProven,
        isAdopted: this.#isAdopted,
        isLongFree: this.#signs.isLongFree,
        isLongGone: this.#absence.isLong,
      },
    );
  }

  async #hold(seen: Snapshot, lease: Lease): Promise<number> {
    const isNew = this.#state.kind !== 'held';
    // Before etcd has it: a crash in between must not make us a stranger.
    if (isNew) this.#remember({ ...this.#remembered, instances: [...this.#remembered.instances, this.self.instance] });
    if (seen.presence === undefined || instanceOf(seen.presence) !== this.self.instance) this.#presence.forget();
    const from = this.#otherMachine(seen);
    const own = await this.#ownWrites(seen, from);
    const due = [...seen.kept].flatMap(([kept, there]) => {
      const put = kept.due(there, lease);
      return put === undefined ? [] : [{ kept, put }];
    });
    const writes = [...due.map(({ put }) => put), ...own];
    const revision = writes.length === 0 ? 0n : await this.#commit(seen, lease, writes);
    if (revision === undefined) return againMs;
    for (const { kept } of due) kept.wrote(revision);
    this.#appearance = 'none';
    if (isNew) this.#hasTaken(from);
    const { isAsked, isNew: areNew } = await this.#rivals.look();
    // The answer to whoever asks is a presence that was written anew.
    if (isAsked) this.#presence.refresh();
    if (areNew && this.#state.kind === 'held') this.#set({ ...this.#state, rivals: this.#rivals.known });
    return Math.max(1, Math.min(this.#everyMs, ...[...this.#kept].map((kept) => kept.untilDueMs())));
  }

  get #everyMs(): number {
    return (this.#timing.presenceS * 1_000) / 3;
  }

  /** The machine that had the name before, if it was another one. */
  #otherMachine({ member }: Snapshot): MachineName | null {
    const [known] = member === undefined ? [] : readable(parseMember, member);
    return known?.machine && known.machine.machine !== this.self.machine ? known.machine : null;
  }

  /** The holder key and the membership, where they are not as they should be, and no word of us as one who waits. */
  async #ownWrites({ document, member }: Snapshot, from: MachineName | null): Promise<Write[]> {
    const { keys, node, clock } = this.#options;
    const isOurs = document?.instance === this.self.instance;
    const isNewLease = await this.#leaseHolder();
    const { machine, host, address } = this.self;
    const [known] = member === undefined ? [] : readable(parseMember, member);
    const value = { ...this.self, taken_from: isOurs ? document.taken_from : from } satisfies HolderDocument;
    const membership = { node, firstSeenAt: known?.firstSeenAt ?? clock.now(), machine: { machine, host, address } };
    return [
      ...(isOurs && !isNewLease
        ? []
        : [{ put: keys.holder(node), value: serializeHolder(value), lease: this.#holderLease }]),
      ...(known?.machine?.machine === machine ? [] : [{ put: keys.member(node), value: serializeMember(membership) }]),
      ...(this.#appearance === 'none' ? [] : [{ delete: this.#rivalKey }]),
    ];
  }

  /** Whether it is another lease than before. */
  async #leaseHolder(): Promise<boolean> {
    if (this.#options.takeover === 'adopt' || this.#holderLease?.isHeld() === true) return false;
    this.#holderLease = await this.#options.store.lease(this.#timing.holderS);
    return true;
  }

  /** Undefined where what was read is not so any more; otherwise the revision of the writes. */
  async #commit({ holder, presence }: Snapshot, lease: Lease, write: readonly Write[]): Promise<bigint | undefined> {
    const { store, keys, node } = this.#options;
    const compare = [
      { key: keys.holder(node), modRevision: holder?.modRevision ?? 0n },
      { key: keys.node(node), modRevision: presence?.modRevision ?? 0n },
    ];
    const { succeeded, revision } = await store.commit({ compare, write });
    if (!succeeded) {
      for (const kept of this.#kept) kept.forget();
      return undefined;
    }
    this.#held = { lease, fence: { key: keys.node(node), createRevision: presence?.createRevision ?? revision } };
    this.#tell();
    return revision;
  }

  #hasTaken(from: MachineName | null): void {
    const { clock, log, tell } = this.#options;
    const { node, machine } = this.self;
    this.#remember({ instances: [this.self.instance] });
    this.#isAdopted = false;
    this.#set({ kind: 'held', since: clock.now(), rivals: this.#rivals.known });
    if (from === null) return;
    log.warn({ node, from, machine }, 'This machine has taken over the node’s name');
    tell({ kind: 'node.taken-over', holder: this.self, from });
  }

  async #wait({ why, holder }: Extract<Judgement, { kind: 'wait' }>, lease: Lease): Promise<number> {
    this.#setObstacle(why, holder);
    if (this.#held !== undefined) {
      this.#held = undefined;
      this.#holderLease?.leave();
      this.#holderLease = undefined;
      this.#tell();
      // What we have in etcd goes now, not when the lease is over.
      await lease.end();
      return 1;
    }
    if (why === 'alive' || why === 'present') this.#isRefusedBy(holder);
    const appearance = why === 'predecessor' ? 'asking' : 'refused';
    if (this.#appearance !== appearance) await this.#appear(appearance, holder, lease);
    return (this.#timing.presenceS * 1_000) / 4;
  }

  /** So that the holder answers, and people see who asks. */
  async #appear(as: 'asking' | 'refused', holder: Holder | null, lease: Lease): Promise<void> {
    const value = serializeHolder({ ...this.self, refused: as === 'refused', holder });
    await this.#options.store.commit({ compare: [], write: [{ put: this.#rivalKey, value, lease }] });
    this.#appearance = as;
  }

  get #rivalKey(): string {
    const { keys, node } = this.#options;
    return `${keys.rivals(node)}${this.self.instance}`;
  }

  /** From now on what this folder remembers proves nothing: it may be a copy. */
  #isRefusedBy(holder: Holder | null): void {
    const by = holder?.instance ?? null;
    if (this.#remembered.refusedBy !== undefined && this.#remembered.refusedBy.holder === by) return;
    this.#remember({ ...this.#remembered, refusedBy: { holder: by } });
  }

  #setObstacle(why: Obstacle, holder: Holder | null): void {
    const { clock, log, tell, node } = this.#options;
    const kind = why === 'predecessor' ? 'waiting' : 'refused';
    const state = this.#state;
    if (state.kind === kind && state.why === why && state.holder?.instance === holder?.instance) return;
    const { what, remedy } = obstacleInWords(node, why, holder);
    const facts = { node, holder, refused: this.self, remedy };
    if (kind === 'waiting') log.info(facts, what);
    else {
      log.error(facts, what);
      tell({ kind: 'node.refused', refused: this.self, holder });
    }
    this.#set({ kind, since: clock.now(), why, holder });
  }

  #remember(remembered: Remembered): void {
    this.#remembered = remembered;
    try {
      this.#options.memory.write(this.self.node, remembered);
    } catch (thrown) {
      const error = asTriggerdError(thrown);
      this.#options.log.warn({ error }, 'Cannot store who holds the node’s name; after a restart it may have to wait');
    }
  }

  #set(state: NameState): void {
    this.#state = state;
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #nextChange(signal: AbortSignal): Promise<void> {
    return nextCall((call) => this.onChange(call), signal);
  }

  #document(): string {
    const { node, version, describe } = this.#options;
    return serializePresence({ node, version, instance: this.self.instance, ...describe() });
  }
}

interface Snapshot {
  readonly holder: Entry | undefined;
  /** What the holder key says; undefined also where it cannot be read. */
  readonly document: HolderDocument | undefined;
  readonly member: Entry | undefined;
  readonly presence: Entry | undefined;
  readonly kept: ReadonlyMap<KeptKey, Entry | undefined>;
}
