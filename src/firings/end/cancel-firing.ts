import { TriggerdError } from '../../domain/errors.ts';
import type { FiringId } from '../../domain/firing.ts';
import { printable } from '../../domain/names.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { inWindows } from '../../kit/in-windows.ts';
import type { Keyspace } from '../../store/keys.ts';
import { firingStatus } from '../follow/follow-firing.ts';
import { serializeInboxEntry } from '../wire/firing.ts';
import { type Debt, endOwed } from './end-owed.ts';

export interface Cancellation {
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
export interface Cancelled {
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
