import { isOpenToStrangers } from '../../adapters/etcd/open-to-strangers.ts';
import type { EtcdOptions } from '../../adapters/etcd/options.ts';
import type { Config } from '../../config/schema.ts';
import { errorCatalogue } from '../../domain/errors.ts';
import { pause } from '../../kit/pause.ts';
import type { Releasers } from '../../kit/releasers.ts';
import { retryDelayMs, storeRetry } from '../../kit/retry.ts';
import { whatOpenEtcdMeans } from '../../store/open-etcd.ts';

/** A key below the prefix that nobody writes. */
export const probeKey = ({ prefix }: Pick<Config['etcd'], 'prefix'>): string => `${prefix}/v1/doctor`;

/**
 * Warns once for all endpoints when etcd answers without credentials. Runs beside the start, which does not wait for it;
 * an endpoint that is away is asked again until it has answered once.
 */
export const warnOfOpenEtcd = (options: EtcdOptions, key: string, releasers: Releasers): void => {
  const ended = new AbortController();
  for (const endpoint of options.endpoints) void look(endpoint, options, key, ended);
  releasers.push('look at etcd', () => ended.abort());
};

const look = async (endpoint: string, options: EtcdOptions, key: string, ended: AbortController): Promise<void> => {
  for (let attempt = 1; !ended.signal.aborted; attempt++) {
    const isOpen = await isOpenToStrangers(endpoint, key, options).catch(() => undefined);
    if (isOpen && !ended.signal.aborted) {
      ended.abort();
      const { remedy } = errorCatalogue['etcd-open'];
      options.log.warn({ endpoint, code: 'etcd-open', remedy }, `${endpoint}: ${whatOpenEtcdMeans(endpoint)}`);
    }
    if (isOpen !== undefined) return;
    await pause(retryDelayMs(storeRetry, attempt), ended.signal);
  }
};
