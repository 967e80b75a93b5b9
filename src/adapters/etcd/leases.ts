import { EtcdLeaseInvalidError, type ILeaseKeepAliveResponse } from 'etcd3';
import type { Endpoints } from './endpoints.ts';
import { toCompare } from './transactions.ts';

/** A new lease's id. */
export const grantLease = async (endpoints: Endpoints, ttlS: number): Promise<string> => {
  const { ID } = await endpoints.call('grant a lease', (client, options) =>
    client.leaseClient.leaseGrant({ TTL: ttlS }, options),
  );
  return ID;
};

/** Creates a key on a lease and gives its create revision; undefined when somebody else's is there. */
export const createWithLease = async (
  endpoints: Endpoints,
  key: string,
  value: string,
  lease: string,
): Promise<bigint | undefined> => {
  const name = Buffer.from(key);
  const request = {
    compare: [toCompare({ key, is: 'absent' })],
    success: [{ request_put: { key: name, value: Buffer.from(value), lease } }],
    failure: [{ request_range: { key: name } }],
  };
  const answer = await endpoints.call(`create ${key}`, (client, options) => client.kv.txn(request, options));
  if (answer.succeeded) return BigInt(answer.header.revision);
  // A first try of this call may have been applied and its answer lost.
  const there = answer.responses[0]?.response_range.kvs[0];
  return there?.lease === lease ? BigInt(there.create_revision) : undefined;
};

/**
 * Renews a lease once, on a stream of its own: etcd offers no other call, and etcd3's own keepalive declares a loss only
 * after twice the lease's life. Fails with `isLeaseGone` when etcd no longer knows the lease.
 */
export const keepAliveOnce = async (endpoints: Endpoints, lease: string): Promise<void> => {
  await endpoints.call('renew a lease', async (client, options) => {
    const stream = await client.leaseClient.leaseKeepAlive(options);
    try {
      const answer = await new Promise<ILeaseKeepAliveResponse>((resolve, reject) => {
        stream.on('data', resolve);
        stream.on('error', reject);
        stream.on('end', () => reject(new Error('etcd ended the stream')));
        stream.write({ ID: lease });
      });
      if (Number(answer.TTL) <= 0) throw new EtcdLeaseInvalidError(lease);
    } finally {
      stream.cancel();
    }
  });
};

export const revokeLease = async (endpoints: Endpoints, lease: string): Promise<void> => {
  await endpoints.call('revoke a lease', (client, options) => client.leaseClient.leaseRevoke({ ID: lease }, options));
};
