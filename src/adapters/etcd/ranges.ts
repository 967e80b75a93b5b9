import { isUtf8 } from 'node:buffer';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import type { IKeyValue, IRangeResponse } from 'etcd3';
import type { Entry, Listing, Page, PageRequest } from '../../store/key-store.ts';
import { isCompacted, isTooLarge } from './cast-error.ts';
import type { EtcdOptions } from './client.ts';
import type { Endpoints } from './endpoints.ts';

const pageSize = 500;
/** By how much a page shrinks that was larger than a message may be. */
const pageShrink = 8;
/** How often a listing starts anew because etcd compacted the revision that it was reading. */
const maxRestarts = 5;

export const getKey = async (endpoints: Endpoints, key: string): Promise<Entry | undefined> => {
  const response = await endpoints.call(`get ${key}`, (client, options) =>
    client.kv.range({ key: Buffer.from(key) }, options),
  );
  return response.kvs[0] && toEntry(response.kvs[0]);
};

/** Several keys in one request; in two where their values exceed what a message may hold. */
export const getKeys = async (endpoints: Endpoints, keys: readonly string[]): Promise<(Entry | undefined)[]> => {
  if (keys.length <= 1) return Promise.all(keys.map((key) => getKey(endpoints, key)));
  const success = keys.map((key) => ({ request_range: { key: Buffer.from(key) } }));
  try {
    const { responses } = await endpoints.call(`get ${keys[0]} and others`, (client, options) =>
      client.kv.txn({ compare: [], success, failure: [] }, options),
    );
    return responses.map(({ response_range: { kvs } }) => kvs[0] && toEntry(kvs[0]));
  } catch (error) {
    if (!isTooLarge(error)) throw error;
    const half = Math.ceil(keys.length / 2);
    return [...(await getKeys(endpoints, keys.slice(0, half))), ...(await getKeys(endpoints, keys.slice(half)))];
  }
};

/** Everything below a prefix at one revision, page by page. */
export const listPrefix = async (endpoints: Endpoints, prefix: string): Promise<Listing> => {
  for (let restart = 0; ; restart++) {
    try {
      return await listOnce(endpoints, prefix);
    } catch (error) {
      if (!isCompacted(error) || restart >= maxRestarts) throw error;
    }
  }
};

const listOnce = async (endpoints: Endpoints, prefix: string): Promise<Listing> => {
  const entries: Entry[] = [];
  let page = await readPage(endpoints, prefix, Buffer.from(prefix), '0');
  const { revision, cluster_id: clusterId } = page.header;
  for (;;) {
    for (const kv of page.kvs) entries.push(toEntry(kv));
    const last = page.kvs.at(-1);
    if (!page.more || last === undefined) return { entries, revision: BigInt(revision), clusterId };
    page = await readPage(endpoints, prefix, behind(last.key), revision);
  }
};

/** A page from `from` on; a smaller one where the values are so large that a usual page exceeds the receive limit. */
const readPage = async (
  endpoints: Endpoints,
  prefix: string,
  from: Buffer,
  revision: string,
  limit = pageSize,
  keysOnly = false,
): Promise<IRangeResponse> => {
  const request = { key: from, range_end: prefixEnd(prefix), limit, revision, keys_only: keysOnly };
  try {
    return await endpoints.call(`list ${prefix}`, (client, options) => client.kv.range(request, options));
  } catch (error) {
    if (!isTooLarge(error) || limit === 1) throw error;
    return await readPage(endpoints, prefix, from, revision, Math.max(1, Math.floor(limit / pageShrink)), keysOnly);
  }
};

/** One page in the order of the keys. */
export const pageOf = async (
  endpoints: Endpoints,
  prefix: string,
  { after, limit, keysOnly = false }: PageRequest,
): Promise<Page> => {
  const from = after === undefined ? Buffer.from(prefix) : behind(Buffer.from(after));
  const { kvs, more } = await readPage(endpoints, prefix, from, '0', limit, keysOnly);
  return { entries: kvs.map(toEntry), more };
};

export const countOf = async (endpoints: Endpoints, prefix: string): Promise<number> => {
  const { count } = await endpoints.call(`count ${prefix}`, (client, options) =>
    client.kv.range({ ...rangeOf(prefix), count_only: true }, options),
  );
  return Number(count);
};

/** The newest first, by create revision. */
export const newestOf = async (endpoints: Endpoints, prefix: string, limit: number): Promise<Entry[]> => {
  const response = await endpoints.call(`list newest ${prefix}`, (client, options) =>
    client.kv.range(
      { ...rangeOf(prefix), limit: Math.max(1, limit), sort_order: 'Descend', sort_target: 'Create' },
      options,
    ),
  );
  return response.kvs.map(toEntry);
};

export const rangeOf = (prefix: string): { key: Buffer; range_end: Buffer } => ({
  key: Buffer.from(prefix),
  range_end: prefixEnd(prefix),
});

/** The first key that may follow. */
const behind = (key: Buffer): Buffer => Buffer.concat([key, Buffer.from([0])]);

/** The first key behind all keys with this prefix: the prefix with its last byte raised (no byte of UTF-8 is 0xff). */
const prefixEnd = (prefix: string): Buffer => {
  const end = Buffer.from(prefix);
  end.writeUInt8(end.readUInt8(end.length - 1) + 1, end.length - 1);
  return end;
};

export const toEntry = (kv: IKeyValue): Entry => ({
  key: kv.key.toString('utf8'),
  value: textOf(kv.value),
  createRevision: BigInt(kv.create_revision),
  modRevision: BigInt(kv.mod_revision),
  isLeased: BigInt(kv.lease) !== 0n,
});

/** Every value is JSON; one that is not UTF-8 is none to whoever parses it, and never one with other characters. */
const textOf = (value: Buffer): string => (isUtf8(value) ? value.toString('utf8') : 'not UTF-8');

/** The page of numbers is some 100 KiB. */
const maxPageBytes = 4 * 2 ** 20;
const quotaLine = /^etcd_server_quota_backend_bytes (\S+)$/m;

interface NumbersPage {
  readonly quotaBytes: number | null;
  readonly clockAheadMs: number | null;
}

/** etcd's `/metrics`, for its quota, and for the time in its header. Undefined where it is not served. */
export const numbersPage = (
  endpoint: string,
  { tls }: Pick<EtcdOptions, 'tls'>,
  timeoutMs: number,
): Promise<NumbersPage | undefined> =>
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
