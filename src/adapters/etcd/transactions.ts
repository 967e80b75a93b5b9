import type { ICompare, IRequestOp, ITxnResponse } from 'etcd3';
import type { Commit, Compare, Transaction, Write } from '../../store/key-store.ts';
import type { Endpoints } from './endpoints.ts';
import { rangeOf, toEntry } from './ranges.ts';

/** One atomic transaction. After a retry, `succeeded: false` may mean that the first try was applied: read back. */
export const commitTransaction = async (endpoints: Endpoints, transaction: Transaction): Promise<Commit> => {
  const request = {
    compare: transaction.compare.map(toCompare),
    success: transaction.write.map(toOperation),
    failure: (transaction.otherwiseGet ?? []).map((key) => ({ request_range: { key: Buffer.from(key) } })),
  };
  return toCommit(await endpoints.call(describe(transaction), (client, options) => client.kv.txn(request, options)));
};

export const toCompare = (compare: Compare): ICompare => {
  const key = Buffer.from(compare.key);
  if ('modRevision' in compare)
    return { key, target: 'Mod', result: 'Equal', mod_revision: compare.modRevision.toString() };
  if ('createRevision' in compare)
    return { key, target: 'Create', result: 'Equal', create_revision: compare.createRevision.toString() };
  return { key, target: 'Create', result: compare.is === 'absent' ? 'Equal' : 'Greater', create_revision: '0' };
};

const toOperation = (write: Write): IRequestOp => {
  if ('put' in write) {
    const { put, value, lease } = write;
    return { request_put: { key: Buffer.from(put), value: Buffer.from(value), ...(lease && { lease: lease.id }) } };
  }
  if ('delete' in write) return { request_delete_range: { key: Buffer.from(write.delete) } };
  return { request_delete_range: rangeOf(write.deletePrefix) };
};

const toCommit = ({ succeeded, header, responses }: ITxnResponse): Commit => ({
  succeeded,
  revision: BigInt(header.revision),
  read: succeeded ? [] : responses.flatMap((response) => response.response_range.kvs.map(toEntry)),
});

const describe = ({ compare, write }: Transaction): string => {
  const first = write[0];
  if (first === undefined) return `compare ${compare[0]?.key ?? 'nothing'}`;
  const key = 'put' in first ? first.put : 'delete' in first ? first.delete : first.deletePrefix;
  return `write ${key}`;
};
