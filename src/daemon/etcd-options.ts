import { readFileSync, statSync } from 'node:fs';
import type { EtcdOptions } from '../adapters/etcd/options.ts';
import type { Config } from '../config/schema.ts';
import { TriggerdError } from '../domain/errors.ts';
import type { Log } from '../domain/log.ts';

/** How to reach etcd, with certificates and the password read from their files. Throws `config-invalid` for a file that is not there. */
export const etcdOptions = ({ etcd }: Pick<Config, 'etcd'>, log: Log): EtcdOptions => {
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

/** Where the embedded etcd listens for clients. */
export const embeddedUrl = ({ endpoints: [first = ''], embedded_port: port }: Config['etcd']): string =>
  port === undefined ? first : `http://127.0.0.1:${port}`;
