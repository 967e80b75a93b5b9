import { connect, type EtcdStore } from '../../adapters/etcd/connect.ts';
import { forgetEmbeddedClient, writeEmbeddedClient } from '../../adapters/etcd/embedded-client.ts';
import { Maintenance } from '../../adapters/etcd/maintenance.ts';
import type { StateFolder } from '../../adapters/files/state-folder.ts';
import type { Config } from '../../config/schema.ts';
import type { Log } from '../../kit/log.ts';
import type { Releasers } from '../../kit/releasers.ts';
import { embeddedQuotaBytes } from '../../store/etcd-space.ts';
import { probeKey, warnOfOpenEtcd } from './etcd-exposure.ts';
import { embeddedPort, etcdOptions } from './etcd-options.ts';

export interface OpenStore {
  readonly store: EtcdStore;
  readonly maintenance: Maintenance;
}

/** The store, and the embedded etcd behind it if the configuration asks for one. */
export const openStore = async (
  config: Config,
  state: StateFolder,
  log: Log,
  releasers: Releasers,
): Promise<OpenStore> => {
  if (config.etcd.embedded) await embed(config, state, log, releasers);
  else forgetEmbeddedClient(state.path);
  const reached = etcdOptions(config, log);
  const store = connect(reached);
  releasers.push('etcd', () => store.close());
  warnOfOpenEtcd(reached, probeKey(config.etcd), releasers);
  const { prefix } = config.etcd;
  return { store, maintenance: new Maintenance({ etcd: reached, prefix, quotaBytes: quotaOf(config) }) };
};

/** Undefined: etcd itself has to say. */
const quotaOf = ({ etcd }: Config): number | undefined =>
  etcd.quota ?? (etcd.embedded ? embeddedQuotaBytes : undefined);

const embed = async ({ etcd, node }: Config, state: StateFolder, log: Log, releasers: Releasers): Promise<void> => {
  // Loaded where there is one: most daemons do without its memory.
  const { startEmbeddedEtcd } = await import('../../adapters/etcd/embedded.ts');
  const quotaBytes = etcd.quota ?? embeddedQuotaBytes;
  const embedded = await startEmbeddedEtcd({ stateDir: state.path, port: embeddedPort(etcd), quotaBytes, log });
  releasers.push('embedded etcd', () => embedded.close());
  writeEmbeddedClient(state.path, {
    endpoint: embedded.endpoint,
    prefix: etcd.prefix,
    node: node.name,
    spool: node.spool ?? `${state.path}/spool`,
    socket: node.socket,
  });
};
