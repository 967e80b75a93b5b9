import type { EtcdOptions } from '../../adapters/etcd/client.ts';
import { connect, type EtcdStore } from '../../adapters/etcd/connect.ts';
import { embeddedTlsIn, forgetEmbeddedClient, writeEmbeddedClient } from '../../adapters/etcd/embedded-tls.ts';
import { isOpenToStrangers } from '../../adapters/etcd/examine-member.ts';
import { Maintenance } from '../../adapters/etcd/maintenance.ts';
import { readConfiguredFile } from '../../adapters/files/configured-file.ts';
import type { StateFolder } from '../../adapters/files/state-folder.ts';
import type { Config } from '../../config/schema.ts';
import { asTriggerdError, errorCatalogue, TriggerdError } from '../../domain/errors.ts';
import type { Log } from '../../kit/log.ts';
import { pause } from '../../kit/pause.ts';
import type { Releasers } from '../../kit/releasers.ts';
import { retryDelayMs, storeRetry } from '../../kit/retry.ts';
import { whatOpenEtcdMeans } from '../../store/open-etcd.ts';
import { embeddedQuotaBytes } from '../../store/space.ts';

interface OpenStore {
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

const defaultPort = 2379;

/**
 * The configuration with an embedded etcd as if it were any other: its address, and the certificates that it makes for
 * itself below the state folder.
 */
export const withEmbedded = <C extends Pick<Config, 'etcd' | 'node'>>(config: C): C => {
  const { etcd, node } = config;
  if (!etcd.embedded) return config;
  const { ca, client } = embeddedTlsIn(node.state_dir);
  const endpoints = [`https://127.0.0.1:${embeddedPort(etcd)}`];
  return { ...config, etcd: { ...etcd, endpoints, ca_file: ca, cert_file: client, key_file: client } };
};

/**
 * How to reach etcd, with the password read from its file. The certificates are read for each new connection, so that a
 * renewed one is used at once. Throws `config-invalid` for a file that cannot be read.
 */
export const etcdOptions = (config: Pick<Config, 'etcd' | 'node'>, log: Log): EtcdOptions => {
  const { etcd } = withEmbedded(config);
  const [first, ...others] = etcd.endpoints;
  if (first === undefined) throw new TriggerdError('config-invalid', 'etcd.endpoints: expected at least one URL');
  const auth =
    etcd.username === undefined || etcd.password_file === undefined
      ? {}
      : { auth: { username: etcd.username, password: passwordIn(etcd.password_file) } };
  const endpoints: EtcdOptions['endpoints'] = [first, ...others];
  const tls = currentTls(etcd, log);
  return {
    endpoints,
    get tls() {
      return tls();
    },
    ...auth,
    requestTimeoutMs: etcd.request_timeout,
    log,
  };
};

type Tls = NonNullable<EtcdOptions['tls']>;

/** What the files hold now; what they held before where they cannot be read, such as in the middle of a replacement. */
const currentTls = (etcd: Config['etcd'], log: Log): (() => Tls) => {
  let known = readTls(etcd);
  return () => {
    try {
      known = readTls(etcd);
    } catch (thrown) {
      log.warn(
        { reason: asTriggerdError(thrown).message },
        'Cannot read the certificates for etcd; using the old ones',
      );
    }
    return known;
  };
};

const readTls = (etcd: Config['etcd']): Tls => ({
  // An address as the name would be right, too, but Node writes a warning about it to stderr.
  ...(etcd.embedded ? { serverName: 'localhost' } : {}),
  ...(etcd.ca_file === undefined ? {} : { ca: readConfigured('etcd.ca_file', etcd.ca_file) }),
  ...(etcd.cert_file === undefined ? {} : { cert: readConfigured('etcd.cert_file', etcd.cert_file) }),
  ...(etcd.key_file === undefined ? {} : { key: readSecret('etcd.key_file', etcd.key_file) }),
});

const passwordIn = (file: string): string =>
  readSecret('etcd.password_file', file)
    .toString('utf8')
    .replace(/\r?\n$/, '');

/** A secret that others can read is no secret: refused. */
const readSecret = (key: string, file: string): Buffer => {
  const { content, stats } = readConfiguredFile(key, file);
  if ((stats.mode & 0o007) !== 0)
    throw new TriggerdError('config-invalid', `${key}: everybody can read ${file}; run chmod 0640 or 0600`);
  return content;
};

const readConfigured = (key: string, file: string): Buffer => readConfiguredFile(key, file).content;

/** Where the embedded etcd listens for clients, on the loopback address. */
const embeddedPort = ({ endpoints: [first = ''], embedded_port: port }: Config['etcd']): number =>
  port ?? Number(new URL(first).port || defaultPort);

/** A key below the prefix that nobody writes. */
export const probeKey = ({ prefix }: Pick<Config['etcd'], 'prefix'>): string => `${prefix}/v1/doctor`;

/**
 * Warns once for all endpoints when etcd answers without credentials. Runs beside the start, which does not wait for it;
 * an endpoint that is away is asked again until it has answered once.
 */
const warnOfOpenEtcd = (options: EtcdOptions, key: string, releasers: Releasers): void => {
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
