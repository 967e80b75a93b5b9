import { describe, expect, it } from 'vitest';
import { type AddressUse, parseAddress, withoutPassword, wordsOf } from '../../../src/kit/address.ts';
import addresses from '../../fixtures/addresses.json?raw';

interface Cases {
  readonly valid: readonly { readonly given: string; readonly means: string }[];
  readonly invalid: readonly { readonly given: string; readonly because: string }[];
}

/** The Puppet module's rules are tested against the same file. */
const fixture = JSON.parse(addresses) as Readonly<Record<AddressUse, Cases>>;

const uses = Object.entries(fixture) as [AddressUse, Cases][];

describe.each(uses)('an address to use as %s', (use, { valid, invalid }) => {
  it.each(valid)('the address may be $given, which means $means', ({ given, means }) => {
    expect(parseAddress(use, given)).toMatchObject({ text: means });
    expect(parseAddress(use, means), 'the true form means itself').toMatchObject({ text: means });
  });

  it.each(invalid)('the address may not be $given, because of its $because', ({ given, because }) => {
    const problem = parseAddress(use, given);
    expect(problem).toBe(because);
    if (typeof problem === 'string' && problem !== 'form') expect(wordsOf(problem)).toMatch(/\w{4}/);
  });

  it('an address is parsed by URL as by triggerd, so that a client connects to the host that was checked', () => {
    for (const { means } of valid) {
      const url = new URL(use === 'http-listen' ? `http://${means}` : means);
      const address = parseAddress(use, means);
      if (typeof address === 'string' || address.host === '*') continue;
      expect(new URL(`http://${url.host}`).hostname).toBe(new URL(`http://${means.replace(/^\w+:\/\//, '')}`).hostname);
      expect(Number(url.port || address.port)).toBe(address.port);
    }
  });
});

describe('a text that may hold a password', () => {
  it.each([
    ['http://root:secret@etcd:2379', 'http://…@etcd:2379'],
    ['http://root:s@e/c?r#et@etcd:2379', 'http://…@etcd:2379'],
    ['root:secret@etcd:2379', '…@etcd:2379'],
    ['http://etcd:2379/v3', 'http://etcd:2379/v3'],
    ['hp@team1', 'hp@team1'],
  ])('the address %s is shown as %s', (text, shown) => {
    expect(withoutPassword(text)).toBe(shown);
  });
});
