/** Authorities and certificates for 127.0.0.1, made with openssl. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificates {
  /** Path of `<name>.pem` or `<name>.key`. */
  file(name: string): string;
  remove(): void;
}

/** `ca` and `other` are authorities; `server` and `client` are by the first, `stranger` is by the second. */
export const makeCertificates = (): Certificates => {
  const folder = mkdtempSync(join(tmpdir(), 'triggerd-certificates-'));
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = (name: string) => ['-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`, '-keyout', `${name}.key`];
  for (const name of ['ca', 'other']) openssl('req', '-x509', ...newKey(name), '-days', '2', '-out', `${name}.pem`);
  writeFileSync(join(folder, 'ext'), 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
  for (const [name, authority] of Object.entries({ server: 'ca', client: 'ca', stranger: 'other' })) {
    openssl('req', ...newKey(name), '-out', `${name}.csr`);
    const signer = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...signer, '-days', '2', '-extfile', 'ext', '-out', `${name}.pem`);
  }
  return { file: (name) => join(folder, name), remove: () => rmSync(folder, { recursive: true, force: true }) };
};
