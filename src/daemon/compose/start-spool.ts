import { join } from 'node:path';
import { openSpoolFolder } from '../../adapters/files/spool-folder.ts';
import type { Config } from '../../config/schema.ts';
import { publishedEvent, spooledEvent } from '../../events/firing-events.ts';
import type { SpooledKeyspace } from '../../firings/ports.ts';
import { SpoolDrain } from '../../firings/publish/spool-drain.ts';
import type { Releasers } from '../../kit/releasers.ts';
import { clock } from '../clock.ts';
import type { Runtime } from './runtime.ts';

/** Publishes what Puppet runs and the control API leave in the spool. Throws `spool-unusable`. */
export const drainSpool = async (runtime: Runtime, releasers: Releasers): Promise<SpoolDrain> => {
  const { options, config, keyspace, events } = runtime;
  const spool = await openSpoolFolder(config.node.spool ?? join(config.node.state_dir, 'spool'));
  const isOurs = (named: SpooledKeyspace) => isConfigured(config.etcd, named);
  const drain = new SpoolDrain({
    ...keyspace,
    spool,
    isOurs,
    clock,
    log: options.log,
    onStored: (firing) => events.tell(spooledEvent(firing, clock.now())),
    onPublished: (firing) => events.tell(publishedEvent(firing, clock.now())),
  });
  drain.start();
  releasers.push('spool', () => drain.stop());
  return drain;
};

/** One endpoint in common is one cluster in common. */
const isConfigured = (etcd: Config['etcd'], { endpoints, prefix }: SpooledKeyspace): boolean =>
  prefix === etcd.prefix &&
  endpoints.some((endpoint) => etcd.endpoints.some((own) => hostOf(own) === hostOf(endpoint)));

const hostOf = (endpoint: string): string => {
  try {
    return new URL(endpoint).host;
  } catch {
    return endpoint;
  }
};
