import { expect, it } from 'vitest';
import { toEntry } from '../../../src/adapters/etcd/ranges.ts';
import { parseFiring } from '../../../src/firings/wire/firing.ts';

const entryOf = (value: Buffer) =>
  toEntry({
    key: Buffer.from('/trigger/inbox/a/1'),
    value,
    create_revision: '1',
    mod_revision: '1',
    version: '1',
    lease: '0',
  });

it('a value in etcd that is not UTF-8 is a malformed firing, and never one with other characters', () => {
  const text = JSON.stringify({ format: 1, trigger: 'caf\xe9' });
  const { key, value } = entryOf(Buffer.from(text, 'latin1'));
  expect(value).not.toContain('caf');
  expect(() => parseFiring(key, value)).toThrow('it is not JSON');
  expect(entryOf(Buffer.from(text)).value).toBe(text);
});
