import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import type { EtcdOptions } from './options.ts';

/** The page of numbers is some 100 KiB. */
const maxPageBytes = 4 * 2 ** 20;
const quotaLine = /^etcd_server_quota_backend_bytes (\S+)$/m;

export interface NumbersPage {
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
