import { describe, expect, it } from 'vitest';
import { isCanonicalBase64Url, workerTokens } from '../../../src/adapters/crypto/proofs.ts';
import { isRequestId } from '../../../src/bus/codec/check.ts';
import { parseStatement } from '../../../src/registry/statements.ts';

describe('the id of a request', () => {
  const id = '01HZZZZZZZZZZZZZZZZZZZZZZA';

  it.each([
    ['as it is', id, true],
    ['in lower case', id.toLowerCase(), false],
    ['with a letter that is read as another one', id.replace('A', 'I'), false],
    ['beyond 128 bits', `8${id.slice(1)}`, false],
    ['with a blank', `${id} `, false],
    ['with a line end', `${id}\n`, false],
  ])('a request’s ID %s is judged: %s', (_what, text, isIdentity) => {
    expect(isRequestId(text)).toBe(isIdentity);
    const parse = () => parseStatement({ verb: 'history.list', team: 'team1', request: text });
    if (isIdentity) parse();
    else expect(parse).toThrow('must be an ID');
  });
});

describe('base64url in its one spelling', () => {
  it.each([
    ['YQ', true],
    ['YWI', true],
    ['YWJj', true],
    ['-_-_', true],
    ['', false],
    ['YR', false],
    ['YWJ', false],
    ['YQ==', false],
    ['YQ=', false],
    [' YQ', false],
    ['YQ\n', false],
    ['Y', false],
    ['+/+/', false],
    ['YÄ', false],
  ])('base64url has one spelling: %j is canonical: %s', (text, isCanonical) =>
    expect(isCanonicalBase64Url(text)).toBe(isCanonical),
  );

  it('a worker’s token has one spelling, and so has its hash', () => {
    const { token, hash } = workerTokens.create();
    expect(workerTokens.fits(token, hash)).toBe(true);
    for (const other of [token.toUpperCase(), ` ${token}`, `${token}\n`, token.replaceAll('-', ''), `{${token}}`])
      expect(workerTokens.fits(other, hash)).toBe(false);
    for (const other of [`${hash}=`, ` ${hash}`, hash.replaceAll('-', '+').concat(' '), ''])
      expect(workerTokens.fits(token, other)).toBe(false);
  });
});
