import { TriggerdError } from '../../domain/errors.ts';
import type { Clock } from '../../kit/clock.ts';
import { readable } from '../../store/document.ts';
import type { Entry, Fence, Lease, Write } from '../../store/key-store.ts';
import type { Keyspace } from '../../store/keys.ts';
import { parseMember, serializeMember } from '../wire.ts';
import { type Holder, type HolderDocument, type MachineName, parseHolder, serializeHolder } from './holder.ts';

/** What etcd has of a name, at one revision. */
export interface NameSnapshot {
  readonly holder: Entry | undefined;
  /** What the holder key says; undefined also where it cannot be read. */
  readonly document: HolderDocument | undefined;
  readonly member: Entry | undefined;
  readonly presence: Entry | undefined;
}

interface NameRecordsOptions extends Keyspace {
  readonly self: Holder;
  readonly clock: Clock;
  /** For so long another machine cannot have the name. Seconds; null: it never has it by itself, so there is no lease. */
  readonly holderS: number | null;
}

/**
 * The records of a name in etcd: its holder key, its membership, and this process among those who ask. Each write compares
 * what was read, so of two who ask at the same time one gets the name.
 */
export class NameRecords {
  readonly #options: NameRecordsOptions;
  #holderLease: Lease | undefined;
  /** How we have written ourselves down as one who waits, on the present lease. */
  #appearance: 'none' | 'asking' | 'refused' = 'none';

  constructor(options: NameRecordsOptions) {
    this.#options = options;
  }

  async read(): Promise<NameSnapshot> {
    const { store, keys, self } = this.#options;
    const names = [keys.holder(self.node), keys.member(self.node), keys.node(self.node)];
    const [holder, member, presence] = await store.getMany(names);
    const document = holder && readable(parseHolder, holder)[0];
    return { holder, document, member, presence };
  }

  /** The machine that had the name before, if it was another one. */
  otherMachine({ member }: NameSnapshot): MachineName | null {
    const [known] = member === undefined ? [] : readable(parseMember, member);
    return known?.machine && known.machine.machine !== this.#options.self.machine ? known.machine : null;
  }

  /** The holder key and the membership, where they are not as they should be, and no word of us as one who waits. */
  async due({ document, member }: NameSnapshot, from: MachineName | null): Promise<Write[]> {
    const { keys, clock, self } = this.#options;
    const { node, machine, host, address } = self;
    const isOurs = document?.instance === self.instance;
    const isNewLease = await this.#leaseHolder();
    const [known] = member === undefined ? [] : readable(parseMember, member);
    const value = { ...self, taken_from: isOurs ? document.taken_from : from } satisfies HolderDocument;
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
    const { store, holderS } = this.#options;
    if (holderS === null || this.#holderLease?.isHeld() === true) return false;
    this.#holderLease = await store.lease(holderS);
    return true;
  }

  /** Undefined where what was read is not so any more; otherwise the revision, and what a write that needs the name compares. */
  async commit(
    { holder, presence }: NameSnapshot,
    write: readonly Write[],
  ): Promise<{ readonly revision: bigint; readonly fence: Fence } | undefined> {
    const { store, keys, self } = this.#options;
    const compare = [
      { key: keys.holder(self.node), modRevision: holder?.modRevision ?? 0n },
      { key: keys.node(self.node), modRevision: presence?.modRevision ?? 0n },
    ];
    const { succeeded, revision } = await store.commit({ compare, write });
    if (!succeeded) return undefined;
    return { revision, fence: { key: keys.node(self.node), createRevision: presence?.createRevision ?? revision } };
  }

  /** So that the holder answers, and people see who asks. */
  async appear(as: 'asking' | 'refused', holder: Holder | null, lease: Lease): Promise<void> {
    if (this.#appearance === as) return;
    const value = serializeHolder({ ...this.#options.self, refused: as === 'refused', holder });
    await this.#options.store.commit({ compare: [], write: [{ put: this.#rivalKey, value, lease }] });
    this.#appearance = as;
  }

  /** We are not written down as one who waits: the name is ours, or the lease is a new one. */
  disappeared(): void {
    this.#appearance = 'none';
  }

  /** The holder key goes with its lease, which is not renewed any more. */
  leave(): void {
    this.#holderLease?.leave();
    this.#holderLease = undefined;
  }

  get #rivalKey(): string {
    const { keys, self } = this.#options;
    return `${keys.rivals(self.node)}${self.instance}`;
  }
}

/**
 * Frees a name whose machine is gone on purpose: the next daemon that asks for it has it. Throws `node-present` while a
 * daemon has it, `node-not-found` where nobody had, and the store's errors.
 */
export const freeName = async ({ store, keys }: Keyspace, node: string): Promise<void> => {
  const [presence, holder, member] = await store.getMany([keys.node(node), keys.holder(node), keys.member(node)]);
  if (presence !== undefined) throw presentError(node);
  if (holder === undefined && member === undefined)
    throw new TriggerdError('node-not-found', `no node has announced itself as ${node}`);
  const { succeeded } = await store.commit({
    compare: [{ key: keys.node(node), is: 'absent' }],
    write: [{ delete: keys.holder(node) }],
  });
  if (!succeeded) throw presentError(node);
};

const presentError = (node: string): TriggerdError =>
  new TriggerdError('node-present', `a daemon that is up has the name ${node}`, { details: { node } });
