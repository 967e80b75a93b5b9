import { TriggerdError } from '../../domain/errors.ts';
import { type FiringId, isFiringId } from '../../domain/firing.ts';
import { isNodeName, printable } from '../../domain/names.ts';
import { isFinal, type Outcome, owedOutcome } from '../../domain/outcome.ts';
import { chunksOf, inWindows } from '../../kit/in-windows.ts';
import { readable } from '../../store/document.ts';
import { assertFence } from '../../store/election.ts';
import type { Entry, Fence, Transaction } from '../../store/key-store.ts';
import type { Keys, Keyspace } from '../../store/keys.ts';
import { firingStatus } from '../follow/follow-firing.ts';
import { serializeInboxEntry } from '../wire/firing.ts';
import { parseOutcome, serializeOutcome } from '../wire/outcome.ts';

/** Two compares and two writes each, and the fence: etcd takes 128 of each. */
const debtsAtOnce = 60;
const batchesAtOnce = 4;
/** How often a batch is tried whose nodes have just said something new. */
const maxTries = 8;

/** One firing that one node owes an outcome. */
export interface Debt {
  readonly firing: FiringId;
  readonly node: string;
}

/** What an entry's key says; undefined for a foreign key below the inboxes. */
export const debtOf = (keys: Keys, entryKey: string): Debt | undefined => {
  const [node = '', firing = '', ...deeper] = entryKey.slice(keys.allInboxes.length).split('/');
  return deeper.length === 0 && isNodeName(node) && isFiringId(firing) ? { firing, node } : undefined;
};

/** How somebody other than the node itself ends what it owes. */
export interface Ending {
  readonly reason: string;
  /** ms since the epoch. */
  readonly at: number;
  readonly details?: Outcome['details'];
  /** Also where the node says that it runs; else that is left alone. */
  readonly evenRunning?: boolean;
  /** What must hold for the writer to be entitled to this. */
  readonly fence?: Fence;
}

/** `settled`: nothing was owed any more; the outcome is what had been recorded by then, if anything was. */
export interface Ended extends Debt {
  readonly kind: 'ended' | 'running' | 'settled';
  readonly outcome: Outcome | null;
}

/**
 * Ends debts in the place of their nodes: outcome `skipped` and the entry gone, in one transaction for many of them. It
 * compares everything that it has seen, so a node that starts the job at this moment is noticed, and one that has ended
 * keeps its own word. Repeating it after a lost answer is harmless. Throws the store's errors, and `FenceLost`.
 */
export const endOwed = async (keyspace: Keyspace, debts: readonly Debt[], ending: Ending): Promise<Ended[]> =>
  (
    await inWindows(chunksOf(debts, debtsAtOnce), (batch) => new Batch(keyspace, ending).end(batch), batchesAtOnce)
  ).flat();

class Batch {
  readonly #keyspace: Keyspace;
  readonly #ending: Ending;
  /** Outcomes as last read; at first it is taken for granted that the nodes have said nothing. */
  readonly #stored = new Map<string, Entry>();
  readonly #done: Ended[] = [];

  constructor(keyspace: Keyspace, ending: Ending) {
    this.#keyspace = keyspace;
    this.#ending = ending;
  }

  async end(debts: readonly Debt[]): Promise<Ended[]> {
    let open = debts;
    for (let tries = 0; open.length > 0; tries++) {
      if (tries === maxTries) throw new TriggerdError('etcd-unreachable', 'the work owed keeps changing; try again');
      const { succeeded, read } = await this.#keyspace.store.commit(this.#transaction(open));
      const ended = open.map((debt) => ({ ...debt, kind: 'ended' as const, outcome: this.#outcomeFor(debt) }));
      if (succeeded) return [...this.#done, ...ended];
      open = this.#sort(open, new Map(read.map((entry) => [entry.key, entry])));
    }
    return this.#done;
  }

  #transaction(debts: readonly Debt[]): Transaction {
    const { keys } = this.#keyspace;
    const { fence } = this.#ending;
    const places = debts.map((debt) => {
      const entry = keys.inbox(debt.node, debt.firing);
      const key = keys.outcome(debt.firing, debt.node);
      return { entry, key, value: serializeOutcome(this.#outcomeFor(debt)), modRevision: this.#revisionOf(key) };
    });
    return {
      compare: [
        ...(fence ? [fence] : []),
        ...places.map(({ entry }) => ({ key: entry, is: 'present' as const })),
        ...places.map(({ key, modRevision }) => ({ key, modRevision })),
      ],
      write: places.flatMap(({ entry, key, value }) => [{ put: key, value }, { delete: entry }]),
      otherwiseGet: [...(fence ? [fence.key] : []), ...places.flatMap(({ entry, key }) => [entry, key])],
    };
  }

  /** Puts aside what needs no further try; gives the rest. */
  #sort(debts: readonly Debt[], read: ReadonlyMap<string, Entry>): Debt[] {
    const { fence, evenRunning = false } = this.#ending;
    if (fence) assertFence(fence, read.get(fence.key));
    return debts.filter((debt) => {
      const key = this.#keyspace.keys.outcome(debt.firing, debt.node);
      const mine = serializeOutcome(this.#outcomeFor(debt));
      const stored = read.get(key);
      if (stored) this.#stored.set(key, stored);
      else this.#stored.delete(key);
      const outcome = this.#said(key);
      if (!read.has(this.#keyspace.keys.inbox(debt.node, debt.firing)))
        this.#done.push({ ...debt, kind: stored?.value === mine ? 'ended' : 'settled', outcome });
      else if (outcome?.stage === 'running' && !evenRunning) this.#done.push({ ...debt, kind: 'running', outcome });
      else return true;
      return false;
    });
  }

  /** What the node has said stays, but for how it ends. */
  #outcomeFor({ firing, node }: Debt): Outcome {
    const said = this.#said(this.#keyspace.keys.outcome(firing, node));
    if (said && isFinal(said.stage)) return said;
    const { reason, at, details } = this.#ending;
    const before = said ?? owedOutcome(firing, node);
    return { ...before, stage: 'skipped', reason, finishedAt: at, details: { ...before.details, ...details } };
  }

  #said(key: string): Outcome | null {
    const entry = this.#stored.get(key);
    return (entry && readable(parseOutcome, entry)[0]) ?? null;
  }

  #revisionOf(key: string): bigint {
    return this.#stored.get(key)?.modRevision ?? 0n;
  }
}

interface Cancellation {
  /** Undefined: all targets. */
  readonly hosts?: readonly string[] | undefined;
  /** Ends it also where it runs. */
  readonly kill: boolean;
  /** Who wants this: `user@node`. */
  readonly by: string;
  /** ms since the epoch. */
  readonly at: number;
}

/**
 * What a cancellation found and did on one node: `cancelled`; `running`, left alone; `kill-asked`, the node is asked to
 * end it and will record how it did; `ended` before.
 */
interface Cancelled {
  readonly node: string;
  readonly did: 'cancelled' | 'running' | 'kill-asked' | 'ended';
  readonly outcome: Outcome | null;
}

/**
 * Ends what a firing is still owed, as recorded outcomes, each in one transaction with the entry's end. Throws
 * `firing-not-found`, `input-invalid` for a host that is no target, and the store's errors.
 */
export const cancelFiring = async (keyspace: Keyspace, id: FiringId, asked: Cancellation): Promise<Cancelled[]> => {
  const { firing } = await firingStatus(keyspace, id);
  const targets = new Set(firing.targets);
  const strangers = (asked.hosts ?? []).filter((host) => !targets.has(host));
  if (strangers.length > 0)
    throw new TriggerdError('input-invalid', `not a target of this firing: ${strangers.map(printable).join(', ')}`);
  const chosen = [...new Set(asked.hosts ?? targets)];
  const debts = chosen.map((node) => ({ firing: id, node }));
  const reason = `cancelled by ${asked.by}`;
  // A node that starts the job at this very moment learns from these details that it is to end it all the same.
  const details = asked.kill ? { cancelled: { kill: true } } : {};
  const ended = await endOwed(keyspace, debts, { reason, at: asked.at, details });
  const cancelled = await inWindows(ended, async ({ kind, outcome, ...debt }): Promise<Cancelled> => {
    if (kind === 'ended') return { node: debt.node, did: 'cancelled', outcome };
    if (kind === 'settled') return { node: debt.node, did: 'ended', outcome };
    const isAsked = asked.kill && (await askToKill(keyspace, debt, reason));
    return { node: debt.node, did: isAsked ? 'kill-asked' : 'running', outcome };
  });
  const byNode = new Map(cancelled.map((each) => [each.node, each]));
  return chosen.flatMap((node) => byNode.get(node) ?? []);
};

/** Leaves the wish in the entry itself: the node watches it, lists it, and takes it away with the firing's end. */
const askToKill = async ({ store, keys }: Keyspace, { firing, node }: Debt, reason: string): Promise<boolean> => {
  const key = keys.inbox(node, firing);
  const value = serializeInboxEntry(firing, reason);
  const { succeeded } = await store.commit({ compare: [{ key, is: 'present' }], write: [{ put: key, value }] });
  return succeeded;
};
