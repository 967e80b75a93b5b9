import { TriggerdError } from '../../domain/errors.ts';
import type { Keyspace } from '../../store/keys.ts';
import { debtOf, endOwed } from './end-owed.ts';

/** Entries that are read at once; an inbox may hold very many. */
const pageSize = 1_000;

export interface Forgetting {
  /** Also while it is present. */
  readonly force: boolean;
  /** Who wants this: `user@node`. */
  readonly by: string;
  /** ms since the epoch. */
  readonly at: number;
}

/**
 * Ends everything that is owed to a node that will not come back, then its membership; how many firings that ended. A
 * node that does come back joins anew. Throws `node-present`, `node-not-found`, and the store's errors.
 */
export const forgetNode = async (keyspace: Keyspace, node: string, asked: Forgetting): Promise<number> => {
  const { store, keys } = keyspace;
  const [presence, member] = await Promise.all([store.get(keys.node(node)), store.get(keys.member(node))]);
  if (presence !== undefined && !asked.force)
    throw new TriggerdError('node-present', `the daemon of ${node} runs`, { details: { node } });
  const ended = await endInbox(keyspace, node, asked);
  if (ended === 0 && presence === undefined && member === undefined)
    throw new TriggerdError('node-not-found', `no node has announced itself as ${node}, and nothing is owed to it`);
  await store.commit({
    compare: [],
    write: [{ delete: keys.member(node) }, ...(presence ? [] : [{ delete: keys.holder(node) }])],
  });
  return ended;
};

/** Goes on behind the last page's end, so that a firing that arrives meanwhile can't keep it busy for ever. */
const endInbox = async (keyspace: Keyspace, node: string, { by, at }: Forgetting): Promise<number> => {
  const ending = { reason: `node forgotten by ${by}`, at, evenRunning: true };
  let count = 0;
  let after: string | undefined;
  for (;;) {
    const request = { after, limit: pageSize, keysOnly: true };
    const { entries, more } = await keyspace.store.page(keyspace.keys.inboxes(node), request);
    const debts = entries.flatMap(({ key }) => debtOf(keyspace.keys, key) ?? []);
    const ended = await endOwed(keyspace, debts, ending);
    count += ended.filter(({ kind }) => kind === 'ended').length;
    after = entries.at(-1)?.key;
    if (!more) return count;
  }
};
