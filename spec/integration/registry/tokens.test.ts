import { createHmac, createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importJWK, SignJWT, type SignOptions } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openIssuer } from '../../../src/adapters/crypto/tokens.ts';
import { connect, type EtcdStore } from '../../../src/adapters/etcd/connect.ts';
import { startEtcd, type TestEtcd } from '../../support/etcd.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { local, openAccounts, openRegistry, password, type TestAccounts } from '../../support/registry.ts';
import { until } from '../../support/wait.ts';

/** G1: whatever is wrong with a token, the answer is the same. */
const invalid = { code: 'token-invalid', message: 'the token is not valid', details: {} };

const clock = { now: () => Date.now() };

describe('tokens of callers', () => {
  let etcd: TestEtcd;
  let store: EtcdStore;
  let folder: string;
  const prefix = '/trigger';
  let a: TestAccounts;
  let b: TestAccounts;
  let jwt: string;
  let key: Awaited<ReturnType<typeof importJWK>>;

  beforeAll(async () => {
    etcd = await startEtcd();
    store = connect({ endpoints: [etcd.endpoint], requestTimeoutMs: 60_000, log: recordingLog() });
    folder = etcd.folder;
    await openRegistry({ store, prefix }).initialise({ team: 'team1', identity: 'hp', secret: password });
    a = await openAccounts({ store, prefix, broker: 'a', keyFile: join(folder, 'a', 'jwt.json') });
    b = await openAccounts({ store, prefix, broker: 'b', keyFile: join(folder, 'b', 'jwt.json') });
    await until(() => b.mirrored.state.issuers.has(a.issuer.kid), 'the other broker’s key');
    ({ jwt } = await a.accounts.login({ team: 'team1', identity: 'hp', secret: password }));
    key = await importJWK(JSON.parse(readFileSync(join(folder, 'a', 'jwt.json'), 'utf8')), 'EdDSA');
  });
  afterAll(async () => {
    await a?.close();
    await b?.close();
    await store?.close();
    await etcd?.stop();
  });

  const payloadOf = (token: string): Record<string, unknown> => JSON.parse(part(token, 1));
  const part = (token: string, index: number): string =>
    Buffer.from(token.split('.')[index] ?? '', 'base64url').toString('utf8');
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

  /** Signed by the broker's own key, but for the changes; undefined takes a claim away. */
  const signed = (
    claims: Record<string, unknown> = {},
    header: Record<string, unknown> = {},
    options: SignOptions = {},
  ): Promise<string> => {
    const payload = Object.fromEntries(
      Object.entries({ ...payloadOf(jwt), jti: randomUUID(), ...claims }).filter(([, value]) => value !== undefined),
    );
    return new SignJWT(payload)
      .setProtectedHeader({ alg: 'EdDSA', kid: a.issuer.kid, typ: 'JWT', ...header })
      .sign(key, options);
  };
  const now = () => Math.floor(Date.now() / 1_000);
  const publicPem = () =>
    createPublicKey({ key: { ...a.issuer.publicKey }, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const hmac = (secret: string | Buffer): string => {
    const text = `${encode({ alg: 'HS256', kid: a.issuer.kid, typ: 'JWT' })}.${encode(payloadOf(jwt))}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  };
  const byStranger = async (header: Record<string, unknown>) =>
    new SignJWT(payloadOf(jwt))
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', ...header })
      .sign(generateKeyPairSync('ed25519').privateKey);

  it('a token names its user, broker and password, for a quarter of an hour', async () => {
    expect(JSON.parse(part(jwt, 0))).toEqual({ alg: 'EdDSA', kid: a.issuer.kid, typ: 'JWT' });
    const installation = a.mirrored.state.installation?.id;
    const claims = payloadOf(jwt);
    expect(claims).toEqual({
      iss: 'a',
      aud: `triggerd:${installation}`,
      sub: 'hp',
      team: 'team1',
      uid: 1,
      tid: 1,
      gen: 1,
      iat: expect.any(Number),
      exp: expect.any(Number),
      jti: expect.any(String),
    });
    expect(Number(claims['exp']) - Number(claims['iat'])).toBe(900);
    // The tests below change one thing of a token that would do.
    await b.accounts.admit(await signed());
  });

  const forgeries: readonly (readonly [string, () => string | Promise<string>])[] = [
    ['nothing', () => ''],
    ['no token', () => 'no token'],
    ['too few parts', () => jwt.slice(0, jwt.lastIndexOf('.'))],
    ['alg none', () => `${encode({ alg: 'none', kid: a.issuer.kid, typ: 'JWT' })}.${jwt.split('.')[1]}.`],
    [
      'alg none with a signature',
      () => `${encode({ alg: 'none', kid: a.issuer.kid })}.${jwt.split('.').slice(1).join('.')}`,
    ],
    ['HS256 with the public key as its secret', () => hmac(publicPem())],
    ['HS256 with the key’s bytes as its secret', () => hmac(Buffer.from(a.issuer.publicKey.x, 'base64url'))],
    ['a claim changed after the signature', () => tampered({ sub: 'root' })],
    ['a signature changed', () => `${jwt.slice(0, -4)}${jwt.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`],
    ['padded', () => `${jwt}==`],
    ['padded a little', () => `${jwt}=`],
    ['with blanks around', () => ` ${jwt}\n`],
    ['with a blank inside', () => jwt.replace('.', ' .')],
    ['with a dot more', () => `${jwt}.`],
    ['with other spare bits in its last letter', () => otherSpelling()],
    ['in the other alphabet', async () => (await withDashes()).replaceAll('-', '+').replaceAll('_', '/')],
    ['the key of a stranger, under our key’s id', () => byStranger({ kid: a.issuer.kid })],
    ['the key of a stranger, under his own id', () => byStranger({ kid: 'x'.repeat(43) })],
    ['the key of a stranger, in the token itself', () => byStranger({ jwk: a.issuer.publicKey })],
    ['no key id', () => byStranger({})],
    ['a key id that is a path', () => byStranger({ kid: '../../../etc/passwd' })],
    ['a key id that is a prototype', () => byStranger({ kid: '__proto__' })],
    ['a key id that is a method', () => byStranger({ kid: 'constructor' })],
    ['over', () => signed({ iat: now() - 1_000, exp: now() - 100 })],
    ['made too long ago', () => signed({ iat: now() - 5_000 })],
    ['limited, and made more than a year ago', () => signed({ scp: 'use', iat: now() - 367 * 86_400 })],
    ['made in the future', () => signed({ iat: now() + 600, exp: now() + 1_200 })],
    ['not valid yet', () => signed({ nbf: now() + 600 })],
    ...['iss', 'aud', 'sub', 'team', 'uid', 'tid', 'gen', 'iat', 'exp', 'jti'].map(
      (claim) => [`no ${claim}`, () => signed({ [claim]: undefined })] as const,
    ),
    ['exp that is a text', () => signed({ exp: 'never' })],
    ['another broker as its issuer', () => signed({ iss: 'b' })],
    ['another installation', () => signed({ aud: 'triggerd:another' })],
    ['another type', () => signed({}, { typ: 'at+jwt' })],
    ['a critical extension that nobody knows', () => signed({}, { crit: ['x'], x: 1 }, { crit: { x: true } })],
    ['longer than a token', () => signed({ padding: 'x'.repeat(3_000) })],
    ['a member with another number', () => signed({ uid: 2 })],
    ['another team', () => signed({ team: 'team2' })],
    ['a team with another number', () => signed({ tid: 2 })],
    ['another generation', () => signed({ gen: 2 })],
    ['a user that is not there', () => signed({ sub: 'root' })],
  ];
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  /** 64 bytes are 85 letters and two bits of one: its other four say nothing. */
  const otherSpelling = (): string => {
    const last = alphabet.indexOf(jwt.at(-1) ?? '');
    const other = `${jwt.slice(0, -1)}${alphabet[last + 1]}`;
    const bytes = (token: string) => Buffer.from(token.split('.')[2] ?? '', 'base64url');
    expect(bytes(other)).toEqual(bytes(jwt));
    return other;
  };
  /** A good token that has letters which the two alphabets do not share. */
  const withDashes = async (): Promise<string> => {
    let token = await signed();
    while (!/[-_]/.test(token)) token = await signed();
    return token;
  };
  const tampered = (claims: object): string => {
    const [header, , signature] = jwt.split('.');
    return [header, encode({ ...payloadOf(jwt), ...claims }), signature].join('.');
  };

  it.each(forgeries)('a forged token is refused like any other: %s', async (_what, forge) => {
    const token = await forge();
    for (const { accounts, mirrored } of [a, b]) {
      await expect(accounts.admit(token)).rejects.toMatchObject(invalid);
      expect(mirrored.callerOf(token)).toBeUndefined();
    }
  });

  const root = (statement: object) => a.registry.execute(local, { team: 'team1', ...statement });
  let bobs = 0;
  const newBob = async () => {
    const identity = `bob${++bobs}`;
    await root({ verb: 'user.add', identity, secret: password });
    await until(() => b.mirrored.state.users.has(identity), 'bob to be known');
    return { identity, ...(await b.accounts.login({ team: 'team1', identity, secret: password })) };
  };

  it.each([
    ['a new password', [{ verb: 'user.set', secret: 'another password' }]],
    ['revocation', [{ verb: 'user.revoke' }]],
    ['being disabled', [{ verb: 'user.set', disabled: true }]],
    ['being deleted', [{ verb: 'user.delete' }]],
    ['being deleted and made anew', [{ verb: 'user.delete' }, { verb: 'user.add', secret: password }]],
    ['leaving the team', [{ verb: 'team.remove' }]],
  ])('%s ends a token at every broker, with the next message', async (_what, statements) => {
    const bob = await newBob();
    await a.accounts.admit(bob.jwt);
    for (const statement of statements) await root({ ...statement, identity: bob.identity });
    await until(() => isRefused(b, bob.jwt), 'the token to be void');
    // There it was said; its own watch may be the later one.
    await until(() => isRefused(a, bob.jwt), 'the token to be void where that was said');
    for (const { accounts } of [a, b]) await expect(accounts.admit(bob.jwt)).rejects.toMatchObject(invalid);
    expect(a.mirrored.callerOf(jwt)).toMatchObject({ identity: 'hp' });
  });

  it('a broker’s key stays over a restart; another key replaces it, and ends its tokens everywhere', async () => {
    const keyFile = join(folder, 'c', 'jwt.json');
    const open = (file: string) => openAccounts({ store, prefix, broker: 'c', keyFile: file });
    let c = await open(keyFile);
    const token = (await c.accounts.login({ team: 'team1', identity: 'hp', secret: password })).jwt;
    await until(() => a.mirrored.state.issuers.has(c.issuer.kid), 'the key to be known');
    await a.accounts.admit(token);
    await c.close();
    c = await open(keyFile);
    await c.accounts.admit(token);
    await c.close();
    c = await open(join(folder, 'c', 'other.json'));
    await until(() => isRefused(a, token), 'the token to be void');
    await expect(a.accounts.admit(token)).rejects.toMatchObject(invalid);
    await c.close();
  });

  it('a team that is deleted ends its tokens, also when there is one of its name again', async () => {
    const hp = { kind: 'user', identity: 'hp', team: 'team1' } as const;
    await a.registry.execute(hp, { verb: 'team.add', name: 'ops' });
    const { jwt: ops } = await a.accounts.login({ team: 'ops', identity: 'hp', secret: password });
    await a.registry.execute(local, { verb: 'team.delete', name: 'ops' });
    await a.registry.execute(hp, { verb: 'team.add', name: 'ops' });
    await until(() => isRefused(a, ops), 'the token to be void');
    const { tid } = payloadOf(ops);
    const knowsTheNewOne = () => ![undefined, tid].includes(b.mirrored.state.teams.get('ops')?.id);
    await until(knowsTheNewOne, 'the other broker to know the new team');
    await expect(b.accounts.admit(ops)).rejects.toMatchObject(invalid);
  });

  it('a token’s role is the user’s role of the moment', async () => {
    const bob = await newBob();
    await a.accounts.admit(bob.jwt);
    expect(a.mirrored.callerOf(bob.jwt)).toEqual({
      identity: bob.identity,
      team: 'team1',
      role: 'member',
      teamId: expect.any(Number),
      origin: { user: expect.any(Number), team: expect.any(Number) },
    });
    await root({ verb: 'user.set', identity: bob.identity, role: 'admin' });
    await until(() => a.mirrored.callerOf(bob.jwt)?.role === 'admin', 'the new role');
  });

  it('keys for tokens are files that only their owner reads; others are refused, and never shown', async () => {
    const file = join(folder, 'd', 'jwt.json');
    await openIssuer(file, 'd', clock);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'd')).mode & 0o777).toBe(0o700);
    chmodSync(file, 0o640);
    await expect(openIssuer(file, 'd', clock)).rejects.toMatchObject({ code: 'state-unusable' });
    chmodSync(file, 0o600);
    writeFileSync(file, '{"kty":"OKP","crv":"Ed25519","d":"swordfish"}');
    await expect(openIssuer(file, 'd', clock)).rejects.toMatchObject({
      code: 'state-unusable',
      message: expect.not.stringContaining('swordfish'),
    });
  });
});

const isRefused = ({ mirrored }: TestAccounts, token: string): boolean => {
  try {
    mirrored.callerOf(token);
    return false;
  } catch (error) {
    expect(error).toMatchObject(invalid);
    return true;
  }
};
