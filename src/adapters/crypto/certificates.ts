/**
 * X.509 certificates for programs of one machine, with keys by Node's own crypto. Only made here, never judged: that is
 * what OpenSSL and Go do (docs/adr/0013-embedded-etcd-tls.md).
 */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { bits, boolean, der, objectId, octets, sequence, tagged, time, unsigned, utf8 } from './der.ts';

/** A certificate in PEM, and its key. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: KeyObject;
}

export interface Authority extends KeyPair {
  /** The name in its certificate, which those that it issues repeat. */
  readonly name: string;
}

const day = 86_400_000;
/** In the past for any clock: one that is set back must not make a certificate invalid. */
const validFrom = Date.UTC(2000, 0, 1);

const ecdsaWithSha256 = sequence(objectId('1.2.840.10045.4.3.2'));
const serverAuth = objectId('1.3.6.1.5.5.7.3.1');
const clientAuth = objectId('1.3.6.1.5.5.7.3.2');

/** A new authority. It signs end entities only. */
export const createAuthority = (name: string, days: number, now: number): Authority => {
  const key = newKey();
  const signCertificates = bits(Buffer.from([0x06]), 1);
  const extensions = [
    critical('2.5.29.19', sequence(boolean(true), unsigned(Buffer.from([0])))),
    critical('2.5.29.15', signCertificates),
    extension('2.5.29.14', octets(keyIdOf(key))),
  ];
  const until = now + days * day;
  return { name, key, certificate: certificate({ key, subject: name, issuer: name, signer: key, until, extensions }) };
};

/** For a program that serves on the loopback addresses; `client`: that may also show it as a client. */
export const issueCertificate = (
  { name, key: signer }: Pick<Authority, 'name' | 'key'>,
  subject: string,
  uses: readonly ('server' | 'client')[],
  days: number,
  now: number,
): KeyPair => {
  const key = newKey();
  const digitalSignature = bits(Buffer.from([0x80]), 7);
  const extensions = [
    critical('2.5.29.19', sequence()),
    critical('2.5.29.15', digitalSignature),
    extension('2.5.29.37', sequence(...uses.map((use) => (use === 'server' ? serverAuth : clientAuth)))),
    ...(uses.includes('server') ? [extension('2.5.29.17', loopback())] : []),
    extension('2.5.29.14', octets(keyIdOf(key))),
    extension('2.5.29.35', sequence(tagged(0, keyIdOf(signer), 'primitive'))),
  ];
  const until = now + days * day;
  return { key, certificate: certificate({ key, subject, issuer: name, signer, until, extensions }) };
};

/** Unencrypted PKCS #8. */
export const keyPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

interface Contents {
  readonly key: KeyObject;
  readonly subject: string;
  readonly issuer: string;
  readonly signer: KeyObject;
  readonly until: number;
  readonly extensions: readonly Buffer[];
}

const certificate = ({ key, subject, issuer, signer, until, extensions }: Contents): string => {
  const version3 = tagged(0, unsigned(Buffer.from([2])), 'constructed');
  const content = sequence(
    version3,
    unsigned(serialNumber()),
    ecdsaWithSha256,
    distinguishedName(issuer),
    sequence(time(validFrom), time(until)),
    distinguishedName(subject),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(...extensions), 'constructed'),
  );
  return pem(sequence(content, ecdsaWithSha256, bits(sign('sha256', content, signer))));
};

const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;

/** 20 bytes at most, and positive. */
const serialNumber = (): Buffer => Buffer.concat([Buffer.from([0x40]), randomBytes(15)]);

/**
 * An organisation and a unit, no CommonName: etcd's JSON gateway refuses a client certificate with one as soon as etcd
 * has users.
 */
const distinguishedName = (unit: string): Buffer =>
  sequence(
    ...[
      ['2.5.4.10', 'triggerd'],
      ['2.5.4.11', unit],
    ].map(([type = '', text = '']) => setOf(sequence(objectId(type), utf8(text)))),
  );

const setOf = (value: Buffer): Buffer => der(0x31, value);

const extension = (id: string, value: Buffer): Buffer => sequence(objectId(id), octets(value));
const critical = (id: string, value: Buffer): Buffer => sequence(objectId(id), boolean(true), octets(value));

const loopback = (): Buffer =>
  sequence(
    tagged(2, Buffer.from('localhost'), 'primitive'),
    tagged(7, Buffer.from([127, 0, 0, 1]), 'primitive'),
    tagged(7, Buffer.concat([Buffer.alloc(15), Buffer.from([1])]), 'primitive'),
  );

/** By which a certificate names the key that signed it. */
const keyIdOf = (key: KeyObject): Buffer => {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const point = [Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
  return createHash('sha1').update(Buffer.concat(point)).digest();
};

const pem = (content: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${content.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
