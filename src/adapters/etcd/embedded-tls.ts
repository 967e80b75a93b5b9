import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TriggerdError } from '../../domain/errors.ts';
import { createAuthority, issueCertificate, type KeyPair, keyPem } from '../crypto/certificates.ts';
import { replaceSecret } from '../files/secret-file.ts';
import { isMissing } from '../system/is-missing.ts';

/** Certificate and key share a file, so that both change in one step. */
export interface EmbeddedTls {
  readonly folder: string;
  /** The authority with its key, which signs the next certificates. */
  readonly authority: string;
  /** The authority's certificate alone. */
  readonly ca: string;
  readonly server: string;
  readonly client: string;
}

/** What `ensureEmbeddedTls` had to make. A new authority means that etcd has to start again: it reads that only once. */
export type Renewal = 'nothing' | 'certificates' | 'authority';

const authorityDays = 20 * 365;
const certificateDays = 365;
/** Renewed when less than this is left. Clients that read their certificate once have that long to start again. */
const authorityMarginDays = 2 * 365;
const certificateMarginDays = 120;
const day = 86_400_000;

export const embeddedTlsIn = (stateDir: string): EmbeddedTls => {
  const folder = join(stateDir, 'etcd', 'tls');
  return {
    folder,
    authority: join(folder, 'authority.pem'),
    ca: join(folder, 'ca.pem'),
    server: join(folder, 'server.pem'),
    client: join(folder, 'client.pem'),
  };
};

/**
 * Makes the certificates of the embedded etcd that are missing, damaged, open to others or about to expire, and leaves the
 * rest. Throws `state-unusable`.
 */
export const ensureEmbeddedTls = (tls: EmbeddedTls, now: number): Renewal => {
  try {
    mkdirSync(tls.folder, { recursive: true, mode: 0o700 });
    chmodSync(tls.folder, 0o700);
    const known = usableAuthority(tls, now);
    const authority = known ?? newAuthority(tls, now);
    if (known === undefined || readOwn(tls.ca) !== authority.text) replaceSecret(tls.ca, authority.text);
    const issued = [
      ensureCertificate(tls.server, 'etcd', ['server', 'client'], authority, now),
      ensureCertificate(tls.client, 'client', ['client'], authority, now),
    ];
    if (known === undefined) return 'authority';
    return issued.includes(true) ? 'certificates' : 'nothing';
  } catch (cause) {
    throw new TriggerdError('state-unusable', `${tls.folder}: ${(cause as Error).message}`, { cause });
  }
};

interface Signer {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
  readonly name: string;
  readonly text: string;
}

const usableAuthority = (tls: EmbeddedTls, now: number): Signer | undefined => {
  const pair = readPair(tls.authority);
  if (pair === undefined || !pair.certificate.ca || !lasts(pair.certificate, authorityMarginDays, now))
    return undefined;
  const name = /^OU=(.+)$/m.exec(pair.certificate.subject)?.[1];
  return name === undefined ? undefined : { ...pair, name, text: pemOf(pair.certificate) };
};

const newAuthority = (tls: EmbeddedTls, now: number): Signer => {
  const made = createAuthority(`embedded etcd ${new Date(now).toISOString()}`, authorityDays, now);
  replaceSecret(tls.authority, textOf(made));
  const certificate = new X509Certificate(made.certificate);
  return { certificate, key: made.key, name: made.name, text: pemOf(certificate) };
};

/** Whether it had to be made. */
const ensureCertificate = (
  file: string,
  subject: string,
  uses: readonly ('server' | 'client')[],
  authority: Signer,
  now: number,
): boolean => {
  const certificate = readPair(file)?.certificate;
  const isUsable =
    certificate?.checkIssued(authority.certificate) === true &&
    certificate.verify(authority.certificate.publicKey) &&
    lasts(certificate, certificateMarginDays, now);
  if (!isUsable) replaceSecret(file, textOf(issueCertificate(authority, subject, uses, certificateDays, now)));
  return !isUsable;
};

const lasts = ({ validFrom, validTo }: X509Certificate, marginDays: number, now: number): boolean =>
  Date.parse(validFrom) <= now && Date.parse(validTo) - now > marginDays * day;

/** Undefined for whatever could not serve as a certificate with its key. */
const readPair = (file: string): { readonly certificate: X509Certificate; readonly key: KeyObject } | undefined => {
  const text = readOwn(file);
  if (text === undefined) return undefined;
  try {
    const certificate = new X509Certificate(text);
    const key = createPrivateKey(text);
    return certificate.checkPrivateKey(key) ? { certificate, key } : undefined;
  } catch {
    return undefined;
  }
};

/** A file that others could have read or written is none of ours: its key may be known. */
const readOwn = (file: string): string | undefined => {
  try {
    const found = lstatSync(file);
    if (!found.isFile() || found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0) return undefined;
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
};

const pemOf = (certificate: X509Certificate): string => `${certificate.toString().trim()}\n`;
const textOf = ({ certificate, key }: KeyPair): string => certificate + keyPem(key);

/** What a client on this machine has to know besides the certificates. */
export interface EmbeddedClient {
  readonly endpoint: string;
  readonly prefix: string;
  /** Undefined: Puppet’s certname, as everywhere. */
  readonly node: string | undefined;
  readonly spool: string;
  readonly socket: string;
}

const fileIn = (stateDir: string): string => join(stateDir, 'etcd', 'client.json');

/**
 * How Puppet on this machine reaches the embedded etcd, in the form of `/etc/triggerd/client.json`: its provider looks here
 * by itself. Throws `state-unusable`.
 */
export const writeEmbeddedClient = (stateDir: string, { endpoint, ...others }: EmbeddedClient): void => {
  const { ca, client } = embeddedTlsIn(stateDir);
  const settings = { endpoints: [endpoint], ca_file: ca, cert_file: client, key_file: client, ...others };
  try {
    replaceSecret(fileIn(stateDir), `${JSON.stringify(settings, null, 2)}\n`);
  } catch (cause) {
    throw new TriggerdError('state-unusable', `${fileIn(stateDir)}: ${(cause as Error).message}`, { cause });
  }
};

/** An etcd that runs no more must not be looked for. */
export const forgetEmbeddedClient = (stateDir: string): void => rmSync(fileIn(stateDir), { force: true });
