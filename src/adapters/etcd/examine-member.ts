import type { Etcd3 } from 'etcd3';
import type { EtcdMember } from '../../doctor/ports.ts';
import { castError } from './cast-error.ts';
import { createClient } from './client.ts';
import { withDeadline } from './deadline.ts';
import { explainOutage } from './explain-outage.ts';
import { numbersPage } from './numbers-page.ts';
import { defaultRequestTimeoutMs, type EtcdOptions } from './options.ts';

/** One member's own account of itself; `key` is one that we may read. Throws `etcd-unreachable`, `etcd-refused`. */
export const examineMember = async (endpoint: string, key: string, options: EtcdOptions): Promise<EtcdMember> => {
  const timeoutMs = options.requestTimeoutMs ?? defaultRequestTimeoutMs;
  const client = createClient(endpoint, options);
  try {
    const [status, page] = await Promise.all([
      withDeadline(client.maintenance.status({ deadline: Date.now() + timeoutMs }), timeoutMs, `asking ${endpoint}`),
      numbersPage(endpoint, options, timeoutMs),
    ]);
    return {
      version: status.version,
      hasLeader: status.leader !== '0',
      isLearner: status.isLearner,
      latencyMs: await readLatency(client, key, timeoutMs),
      dbBytes: Number(status.dbSize),
      usedBytes: Number(status.dbSizeInUse) || Number(status.dbSize),
      complaints: status.errors,
      quotaBytes: page?.quotaBytes ?? null,
      clockAheadMs: page?.clockAheadMs ?? null,
    };
  } catch (error) {
    throw await explainOutage(castError(error, `asking ${endpoint}`), endpoint);
  } finally {
    client.close();
  }
};

/** The best of three: the first one pays for the connection. */
const readLatency = async (client: Etcd3, key: string, timeoutMs: number): Promise<number> => {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const startedAt = performance.now();
    await withDeadline(
      client
        .get(key)
        .options({ deadline: Date.now() + timeoutMs })
        .exec(),
      timeoutMs,
      'reading',
    );
    best = Math.min(best, performance.now() - startedAt);
  }
  return best;
};
