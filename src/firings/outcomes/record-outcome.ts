import { isFinal, type Outcome } from '../../domain/outcome.ts';
import type { Keyspace } from '../../store/keys.ts';
import { parseOutcome, serializeOutcome } from '../wire/outcome.ts';

/** `settled`: the entry was gone already, and this is what somebody else recorded, or null when nobody did. */
export type Recorded = { readonly kind: 'recorded' } | { readonly kind: 'settled'; readonly by: Outcome | null };

/**
 * Writes an outcome while the firing is owed to its node; a final one ends that in the same transaction. Repeating it
 * after a lost answer is recognised by the stored bytes.
 */
export const recordOutcome = async ({ store, keys }: Keyspace, outcome: Outcome): Promise<Recorded> => {
  const key = keys.outcome(outcome.firing, outcome.node);
  const entry = keys.inbox(outcome.node, outcome.firing);
  const value = serializeOutcome(outcome);
  const commit = await store.commit({
    compare: [{ key: entry, is: 'present' }],
    write: [{ put: key, value }, ...(isFinal(outcome.stage) ? [{ delete: entry }] : [])],
    otherwiseGet: [key],
  });
  const stored = commit.read[0];
  if (commit.succeeded || stored?.value === value) return { kind: 'recorded' };
  return { kind: 'settled', by: stored ? readOrNull(key, stored.value) : null };
};

const readOrNull = (key: string, value: string): Outcome | null => {
  try {
    return parseOutcome(key, value);
  } catch {
    return null;
  }
};
