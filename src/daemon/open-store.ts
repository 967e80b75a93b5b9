import { readFileSync, statSync } from 'node:fs';
import { connect, type EtcdStore } from '../adapters/etcd/connect.ts';
import { startEmbeddedEtcd } from '../adapters/etcd/embedded.ts';
import type { EtcdOptions } from '../adapters/etcd/options.ts';
import type { StateFolder } from '../adapters/files/state-folder.ts';
import type { Config } from '../config/schema.ts';
import { TriggerdError } from '../domain/errors.ts';
import type { Log } from '../domain/log.ts';
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
  const [first = ''] = etcd.endpoints;
  const clientUrl = etcd.embedded_port === undefined ? first : `http://127.0.0.1:${etcd.embedded_port}`;
  const embedded = await startEmbeddedEtcd({ stateDir: state.path, clientUrl, log });
  releasers.push('embedded etcd', () => embedded.close());
  return embedded.endpoint;
};

/** How to reach etcd, with certificates and the password read from their files. Throws `config-invalid` for a file that is not there. */
const etcdOptions = ({ etcd }: Pick<Config, 'etcd'>, log: Log): EtcdOptions => {
  const [first, ...others] = etcd.endpoints;
  if (first === undefined) throw new TriggerdError('config-invalid', 'etcd.endpoints: expected at least one');
  const tls = {
    ...(etcd.ca_file === undefined ? {} : { ca: readConfigured('etcd.ca_file', etcd.ca_file) }),
    ...(etcd.cert_file === undefined ? {} : { cert: readConfigured('etcd.cert_file', etcd.cert_file) }),
    ...(etcd.key_file === undefined ? {} : { key: readSecret('etcd.key_file', etcd.key_file) }),
  };
  const auth =
    etcd.username === undefined || etcd.password_file === undefined
      ? {}
      : { auth: { username: etcd.username, password: passwordIn(etcd.password_file) } };
  return { endpoints: [first, ...others], tls, ...auth, requestTimeoutMs: etcd.request_timeout, log };
};

const passwordIn = (file: string): string =>
  readSecret('etcd.password_file', file)
    .toString('utf8')
    .replace(/\r?\n$/, '');

/** A secret that others can read is no secret: refused. */
const readSecret = (key: string, file: string): Buffer => {
  const content = readConfigured(key, file);
  if ((statSync(file).mode & 0o007) !== 0)
    throw new TriggerdError('config-invalid', `${key}: ${file} can be read by everybody; make it 0600 or 0640`);
  return content;
};

const readConfigured = (key: string, file: string): Buffer => {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new TriggerdError(
      'config-invalid',
      `${key}: ${file} can not be read (${(cause as NodeJS.ErrnoException).code})`,
      { cause },
    );
  }
};
