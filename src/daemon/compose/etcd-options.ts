import { embeddedTlsIn } from '../../adapters/etcd/embedded-tls.ts';
import type { EtcdOptions } from '../../adapters/etcd/options.ts';
import { readConfiguredFile } from '../../adapters/files/configured-file.ts';
import type { Config } from '../../config/schema.ts';
import { asTriggerdError, TriggerdError } from '../../domain/errors.ts';
import type { Log } from '../../kit/log.ts';

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
export const embeddedPort = ({ endpoints: [first = ''], embedded_port: port }: Config['etcd']): number =>
  port ?? Number(new URL(first).port || defaultPort);
