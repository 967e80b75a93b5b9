import { connect, type EtcdStore } from '../adapters/etcd/connect.ts';
import { forgetEmbeddedClient, writeEmbeddedClient } from '../adapters/etcd/embedded-client.ts';
import type { StateFolder } from '../adapters/files/state-folder.ts';
import type { Config } from '../config/schema.ts';
import type { Log } from '../domain/log.ts';
import { probeKey, warnOfOpenEtcd } from './etcd-exposure.ts';
import { embeddedPort, etcdOptions } from './etcd-options.ts';
import type { Releasers } from './releasers.ts';

/** The store, and the embedded etcd behind it if the configuration asks for one. */
export const openStore = async (
  config: Config,
  state: StateFolder,
  log: Log,
  releasers: Releasers,
): Promise<EtcdStore> => {
  if (config.etcd.embedded) await embed(config, state, log, releasers);
  else forgetEmbeddedClient(state.path);
  const reached = etcdOptions(config, log);
  const store = connect(reached);
  releasers.push('etcd', () => store.close());
  warnOfOpenEtcd(reached, probeKey(config.etcd), releasers);
  return store;
};

const embed = async ({ etcd, node }: Config, state: StateFolder, log: Log, releasers: Releasers): Promise<void> => {
  // Loaded where there is one: most daemons do without its memory.
  const { startEmbeddedEtcd } = await import('../adapters/etcd/embedded.ts');
  const embedded = await startEmbeddedEtcd({ stateDir: state.path, port: embeddedPort(etcd), log });
  releasers.push('embedded etcd', () => embedded.close());
  writeEmbeddedClient(state.path, {
    endpoint: embedded.endpoint,
    prefix: etcd.prefix,
    node: node.name,
    spool: node.spool ?? `${state.path}/spool`,
    socket: node.socket,
  });
};
