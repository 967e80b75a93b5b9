import { createPrivateKey, randomUUID } from 'node:crypto';
import {
  calculateJwkThumbprint,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTPayload,
  jwtVerify,
  SignJWT,
} from 'jose';
import * as v from 'valibot';
import { TriggerdError } from '../../domain/errors.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Issuer } from '../../registry/model.ts';
import type { CheckedToken, TokenChecker, TokenClaims, TokenIssuer } from '../../registry/ports.ts';
import { readOrCreateSecret } from '../files/secret-file.ts';
import { isCanonicalBase64Url, signProof } from './proofs.ts';

const algorithm = 'EdDSA';
const lifeS = 15 * 60;
/** Of a token that a person asks for, to write it down. */
const maxLifeS = 366 * 86_400;
/** What brokers' clocks may differ by. */
const toleranceS = 30;
/** Ours are about 500 characters. */
const maxLength = 2_048;
const type = 'JWT';

const claims = v.object({
  iss: v.string(),
  sub: v.string(),
  team: v.string(),
  uid: v.number(),
  tid: v.number(),
  gen: v.number(),
  exp: v.number(),
  scp: v.optional(v.unknown()),
});
const requiredClaims = ['iss', 'aud', 'sub', 'team', 'uid', 'tid', 'gen', 'iat', 'exp', 'jti'];

const coordinate = v.pipe(v.string(), v.length(43), v.check(isCanonicalBase64Url));
const keyFile = v.object({
  kty: v.literal('OKP'),
  crv: v.literal('Ed25519'),
  x: coordinate,
  d: coordinate,
});

/**
 * The key that this broker signs tokens with, from its file, which is made at the first start. To have another one,
 * remove the file and start again. Throws `state-unusable`.
 */
export const openIssuer = async (path: string, broker: string, clock: Clock): Promise<TokenIssuer> =>
  issuerWith(await readOrCreateSecret(path, newKey), path, broker, clock);

/** A key to sign with, as its file has it. */
export const newKey = async (): Promise<string> => {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return JSON.stringify(await exportJWK(privateKey));
};

/** The issuer with this key; `path` is where it comes from. Throws `state-unusable`. */
export const issuerWith = async (text: string, path: string, broker: string, clock: Clock): Promise<TokenIssuer> => {
  const { d, ...publicKey } = parseKey(path, text);
  const kid = await calculateJwkThumbprint(publicKey);
  const key = await importJWK({ ...publicKey, d }, algorithm);
  const proofKey = createPrivateKey({ key: { ...publicKey, d }, format: 'jwk' });
  return {
    kid,
    publicKey,
    signProof: (claims) => signProof(proofKey, kid, claims),
    issue: async (token, audience, ttlMs = lifeS * 1_000) => {
      const issuedAt = Math.floor(clock.now() / 1_000);
      const endsAt = issuedAt + Math.min(maxLifeS, Math.max(1, Math.ceil(ttlMs / 1_000)));
      const jwt = await new SignJWT(toPayload(token))
        .setProtectedHeader({ alg: algorithm, kid, typ: type })
        .setIssuer(broker)
        .setAudience(audience)
        .setSubject(token.identity)
        .setIssuedAt(issuedAt)
        .setExpirationTime(endsAt)
        .setJti(randomUUID())
        .sign(key);
      return { jwt, checked: { ...token, kid, audience, endsAt: endsAt * 1_000 } };
    },
  };
};

export const createTokenChecker = (clock: Clock): TokenChecker => ({
  check: async (jwt, audience, issuers) => {
    try {
      return await check(jwt, audience, issuers, new Date(clock.now()));
    } catch (cause) {
      // Why is nobody's business, and the same for all of them.
      throw new TriggerdError('token-invalid', 'the token is not valid', { cause });
    }
  },
});

const check = async (
  jwt: string,
  audience: string,
  issuers: ReadonlyMap<string, Issuer>,
  currentDate: Date,
): Promise<CheckedToken> => {
  if (jwt.length > maxLength) throw new Error('longer than a token can be');
  const parts = jwt.split('.');
  if (parts.length !== 3 || !parts.every(isCanonicalBase64Url)) throw new Error('not in the form of a token');
  const { kid } = decodeProtectedHeader(jwt);
  // A key of the registry or none: nothing in the token leads to one.
  const issuer = typeof kid === 'string' ? issuers.get(kid) : undefined;
  if (kid === undefined || issuer === undefined) throw new Error('no such issuer');
  const { payload } = await jwtVerify(jwt, await importJWK({ ...issuer.key }, algorithm), {
    algorithms: [algorithm],
    typ: type,
    issuer: issuer.broker,
    audience,
    requiredClaims,
    maxTokenAge: maxLifeS,
    clockTolerance: toleranceS,
    currentDate,
  });
  const checked = { ...fromPayload(payload), kid, audience };
  // Only what changes no accounts may live long, whoever has signed it.
  const ageS = currentDate.getTime() / 1_000 - (payload.iat ?? 0);
  if (checked.isLimited !== true && ageS > lifeS + toleranceS) throw new Error('older than a token may be');
  return checked;
};

const toPayload = ({ team, teamId, userId, generation, isLimited }: TokenClaims): JWTPayload => ({
  ...(isLimited === true ? { scp: 'use' } : {}),
  team,
  tid: teamId,
  uid: userId,
  gen: generation,
});

const fromPayload = (payload: JWTPayload): Omit<CheckedToken, 'kid' | 'audience'> => {
  const { sub, team, uid, tid, gen, exp, scp } = v.parse(claims, payload);
  // Whatever limits a token that a later version may know, it limits it here as well.
  const limited = scp === undefined ? {} : { isLimited: true };
  return { identity: sub, userId: uid, team, teamId: tid, generation: gen, endsAt: exp * 1_000, ...limited };
};

const parseKey = (path: string, text: string) => {
  try {
    return v.parse(keyFile, JSON.parse(text) as JWK);
  } catch {
    // What is wrong with it could show some of it.
    throw new TriggerdError(
      'state-unusable',
      `${path} is not an Ed25519 key; remove the file, and triggerd makes a new one`,
    );
  }
};
