import type { Etcd3 } from 'etcd3';
import type { EtcdMember } from '../../doctor/ports.ts';
import type { TriggerdError } from '../../domain/errors.ts';
import { isEtcdAway } from '../../store/etcd-away.ts';
import { castError, explainOutage } from './cast-error.ts';
import { createClient, defaultRequestTimeoutMs, type EtcdOptions } from './client.ts';
import { withDeadline } from './endpoints.ts';
import { numbersPage } from './ranges.ts';

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

/** A connection that breaks by chance looks like one that etcd refuses: the second attempt decides. */
const attempts = 2;

/**
 * Whether etcd lets somebody write `key` who has no client certificate, user or password. The attempt is a real one that
 * changes nothing: a transaction whose condition never holds, and etcd checks the right to its writes all the same.
 * Throws `etcd-unreachable` when the endpoint does not answer us either.
 */
export const isOpenToStrangers = async (endpoint: string, key: string, options: EtcdOptions): Promise<boolean> => {
  const own = await attempt(endpoint, options, (client, call) => client.maintenance.status(call));
  // A refusal is an answer, too: our own credentials are wrong there.
  if (own !== undefined && isEtcdAway(own.code)) throw own;
  const { auth: _, tls = {}, ...others } = options;
  const { cert: __, key: ___, ...withoutOwn } = tls;
  const stranger: EtcdOptions = { ...others, tls: withoutOwn };
  for (let tried = 0; tried < attempts; tried++) {
    const refusal = await attempt(endpoint, stranger, (client, call) => client.kv.txn(writesNothing(key), call));
    // etcd looks at rights before it looks for space.
    if (refusal === undefined || refusal.code === 'etcd-no-space') return true;
    if (refusal.code !== 'etcd-unreachable') return false;
  }
  return false;
};

type Call = (client: Etcd3, options: { readonly deadline: number }) => Promise<unknown>;

/** On a connection of its own; what it failed with. */
const attempt = async (endpoint: string, options: EtcdOptions, call: Call): Promise<TriggerdError | undefined> => {
  const timeoutMs = options.requestTimeoutMs ?? defaultRequestTimeoutMs;
  const what = `asking ${endpoint}`;
  const client = createClient(endpoint, options);
  try {
    await withDeadline(call(client, { deadline: Date.now() + timeoutMs }), timeoutMs, what);
    return undefined;
  } catch (error) {
    return castError(error, what);
  } finally {
    client.close();
  }
};

const writesNothing = (key: string): Parameters<Etcd3['kv']['txn']>[0] => ({
  // No revision is below 0.
  compare: [{ key: Buffer.from(key), target: 'Create', result: 'Less', create_revision: '0' }],
  success: [{ request_put: { key: Buffer.from(key), value: Buffer.alloc(0) } }],
  failure: [],
});
