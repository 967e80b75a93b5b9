/**
 * Proofs of who asked for a job, as text: `p1.CLAIMS.SIGNATURE`, and behind that `.SEAL` once the worker has it.
 *
 * CLAIMS is JSON in base64url, SIGNATURE is the broker's (Ed25519), over `p1.CLAIMS`. A JWT cannot begin like that, so
 * neither is ever taken for the other, although one key signs both. SEAL is an HMAC over the rest by the worker's token:
 * what a broker has sent is worth nothing to anybody else, and nothing any more once that token was replaced.
 */
import {
  createHash,
  createHmac,
  createPublicKey,
  type KeyObject,
  randomUUID,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import type { Issuer } from '../../registry/model.ts';
import type { ProofOpener, WorkerTokens } from '../../registry/ports.ts';

const version = 'p1';
const maxLength = 8_192;

/** `kid` names the key in the registry. */
export const signProof = (key: KeyObject, kid: string, claims: object): string => {
  const signed = `${version}.${encoded(Buffer.from(JSON.stringify({ ...claims, kid })))}`;
  return `${signed}.${encoded(sign(null, Buffer.from(signed), key))}`;
};

/** What a worker does with a proof that it was sent. */
export const sealProof = (proof: string, token: string): string =>
  `${proof}.${encoded(sealOf(proof, hashOfWorkerToken(token)))}`;

export const proofOpener: ProofOpener = {
  open: (sealed, issuers) => {
    if (sealed.length > maxLength) return undefined;
    const [first, claimsText = '', signature = '', seal = '', ...more] = sealed.split('.');
    const isWhole = first === version && more.length === 0;
    if (!isWhole || ![claimsText, signature, seal].every(isCanonicalBase64Url)) return undefined;
    const claims = parsed(claimsText);
    const issuer = issuerOf(claims, issuers);
    const signed = `${version}.${claimsText}`;
    if (issuer === undefined || !isSigned(issuer, signed, signature)) return undefined;
    const proof = `${signed}.${signature}`;
    return { claims, issuer, isSealedWith: (hash) => isSame(sealOf(proof, hash), Buffer.from(seal, 'base64url')) };
  },
};

const encoded = (bytes: Buffer): string => bytes.toString('base64url');

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
};

/** A key of the registry or none: nothing in the proof leads to one. */
const issuerOf = (claims: unknown, issuers: ReadonlyMap<string, Issuer>): Issuer | undefined => {
  if (typeof claims !== 'object' || claims === null || !('kid' in claims)) return undefined;
  return typeof claims.kid === 'string' ? issuers.get(claims.kid) : undefined;
};

const isSigned = ({ key }: Issuer, signed: string, signature: string): boolean =>
  verify(
    null,
    Buffer.from(signed),
    createPublicKey({ key: { ...key }, format: 'jwk' }),
    Buffer.from(signature, 'base64url'),
  );

const sealOf = (proof: string, tokenHash: string): Buffer => createHmac('sha256', tokenHash).update(proof).digest();

const isSame = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);

/**
 * Whether this is how base64url writes its bytes: no padding, no blanks, no other alphabet, no spare bits in the last
 * letter. Decoders take all of that, so that one value would have many spellings.
 */
export const isCanonicalBase64Url = (text: string): boolean =>
  text !== '' && Buffer.from(text, 'base64url').toString('base64url') === text;

/** 122 random bits: nobody guesses them, so a fast hash is enough. */
export const workerTokens: WorkerTokens = {
  create: () => {
    const token = randomUUID();
    return { token, hash: hashOfWorkerToken(token) };
  },
  fits: (token, hash) => {
    // As texts: a decoder would take more than one spelling.
    const stored = Buffer.from(hash);
    const presented = Buffer.from(hashOfWorkerToken(token));
    return stored.length === presented.length && timingSafeEqual(stored, presented);
  },
};

/** As the registry keeps it. */
const hashOfWorkerToken = (token: string): string => createHash('sha256').update(token).digest('base64url');
