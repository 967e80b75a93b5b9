import { connect, type EtcdStore } from '../adapters/etcd/connect.ts';
import { startEmbeddedEtcd } from '../adapters/etcd/embedded.ts';
import type { StateFolder } from '../adapters/files/state-folder.ts';
import type { Config } from '../config/schema.ts';
import type { Log } from '../domain/log.ts';
import { embeddedUrl, etcdOptions } from './etcd-options.ts';
import type { Releasers } from './releasers.ts';

/** The store, and the embedded etcd behind it if the configuration asks for one. */
export const openStore = async (
  config: Config,
  state: StateFolder,
  log: Log,
  releasers: Releasers,
): Promise<EtcdStore> => {
  const options = etcdOptions(config, log);
  const store = connect(
    config.etcd.embedded ? { ...options, endpoints: [await embed(config, state, log, releasers)] } : options,
  );
  releasers.push('etcd', () => store.close());
  return store;
};

const embed = async ({ etcd }: Config, state: StateFolder, log: Log, releasers: Releasers): Promise<string> => {
  const embedded = await startEmbeddedEtcd({ stateDir: state.path, clientUrl: embeddedUrl(etcd), log });
  releasers.push('embedded etcd', () => embedded.close());
  return embedded.endpoint;
};
