/** Authorities and certificates for 127.0.0.1, made with openssl. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificates {
  /** Path of `<name>.pem` or `<name>.key`. */
  file(name: string): string;
  remove(): void;
}

/**
 * `ca` and `other` are authorities; `server` and `client` are by the first, `stranger` is by the second; `short` is like
 * `client` and expires in ten days, the others in three hundred. `expired` has ended, `misnamed` is for another name.
 */
export const makeCertificates = (): Certificates => {
  const folder = mkdtempSync(join(tmpdir(), 'triggerd-certificates-'));
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = (name: string) => ['-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`, '-keyout', `${name}.key`];
  for (const name of ['ca', 'other']) openssl('req', '-x509', ...newKey(name), '-days', '400', '-out', `${name}.pem`);
  writeFileSync(join(folder, 'ext'), 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
  for (const [name, authority] of Object.entries({ server: 'ca', client: 'ca', short: 'ca', stranger: 'other' })) {
    openssl('req', ...newKey(name), '-out', `${name}.csr`);
    const signer = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial'];
    const days = name === 'short' ? '10' : '300';
    openssl('x509', '-req', '-in', `${name}.csr`, ...signer, '-days', days, '-extfile', 'ext', '-out', `${name}.pem`);
    chmodSync(join(folder, `${name}.key`), 0o600);
  }
  makeBadServers(folder, openssl, newKey);
  return { file: (name) => join(folder, name), remove: () => rmSync(folder, { recursive: true, force: true }) };
};

const makeBadServers = (
  folder: string,
  openssl: (...args: string[]) => unknown,
  newKey: (name: string) => string[],
) => {
  for (const name of ['expired', 'misnamed']) openssl('req', ...newKey(name), '-out', `${name}.csr`);
  const signer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'];
  writeFileSync(join(folder, 'ext-misnamed'), 'subjectAltName=DNS:etcd.example.com\n');
  openssl('x509', '-req', '-in', 'misnamed.csr', ...signer, '-extfile', 'ext-misnamed', '-out', 'misnamed.pem');
  // Only `openssl ca` takes dates.
  writeFileSync(join(folder, 'index.txt'), '');
  writeFileSync(join(folder, 'serial'), '01\n');
  const lines = ['[ca]', 'default_ca = own', '[own]', 'database = index.txt', 'serial = serial', 'new_certs_dir = .'];
  const policy = ['default_md = sha256', 'policy = any', 'x509_extensions = names', '[any]', 'commonName = supplied'];
  writeFileSync(
    join(folder, 'ca.cnf'),
    [...lines, ...policy, '[names]', 'subjectAltName = IP:127.0.0.1', ''].join('\n'),
  );
  const dates = ['-startdate', '20200101000000Z', '-enddate', '20200201000000Z'];
  const by = ['-config', 'ca.cnf', '-cert', 'ca.pem', '-keyfile', 'ca.key'];
  openssl('ca', '-batch', '-notext', ...by, ...dates, '-in', 'expired.csr', '-out', 'expired.pem');
};
