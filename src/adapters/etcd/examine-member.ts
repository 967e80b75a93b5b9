import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import type { Etcd3 } from 'etcd3';
import type { EtcdMember } from '../../doctor/ports.ts';
import { castError } from './cast-error.ts';
import { createClient } from './client.ts';
import { withDeadline } from './deadline.ts';
import { defaultRequestTimeoutMs, type EtcdOptions } from './options.ts';

/** The page of numbers is some 100 KiB. */
const maxPageBytes = 4 * 2 ** 20;
const quotaLine = /^etcd_server_quota_backend_bytes (\S+)$/m;

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
      complaints: status.errors,
      quotaBytes: page?.quotaBytes ?? null,
      clockAheadMs: page?.clockAheadMs ?? null,
    };
  } catch (error) {
    throw castError(error, `asking ${endpoint}`);
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

interface NumbersPage {
  readonly quotaBytes: number | null;
  readonly clockAheadMs: number | null;
}

/** etcd's `/metrics`, for its quota, and for the time in its header. Undefined where it is not served. */
const numbersPage = (endpoint: string, { tls }: EtcdOptions, timeoutMs: number): Promise<NumbersPage | undefined> =>
  new Promise((resolve) => {
    const get = endpoint.startsWith('https:') ? httpsGet : httpGet;
    const request = get(
      new URL('/metrics', endpoint),
      { ...pemOf(tls), timeout: timeoutMs, agent: false },
      (response) => {
        const clockAheadMs = aheadOf(response.headers.date);
        readText(response).then(
          (text) => resolve({ quotaBytes: numberIn(text), clockAheadMs }),
          () => resolve({ quotaBytes: null, clockAheadMs }),
        );
      },
    );
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(undefined));
  });

const pemOf = ({ ca, cert, key }: NonNullable<EtcdOptions['tls']> = {}) => ({
  ...(ca && { ca }),
  ...(cert && { cert }),
  ...(key && { key }),
});

/** HTTP dates have whole seconds, cut off: on the average half a second is missing. */
const aheadOf = (date: string | undefined): number | null => {
  const at = Date.parse(date ?? '');
  return Number.isNaN(at) ? null : Date.now() - (at + 500);
};

const numberIn = (text: string): number | null => {
  const value = Number(quotaLine.exec(text)?.[1]);
  return Number.isFinite(value) && value > 0 ? value : null;
};

const readText = async (response: IncomingMessage): Promise<string> => {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    text += chunk;
    if (text.length > maxPageBytes) throw new RangeError('too large');
  }
  return text;
};
