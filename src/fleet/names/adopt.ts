import { TriggerdError } from '../../domain/errors.ts';
import type { Keyspace } from '../../store/keyspace.ts';

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
