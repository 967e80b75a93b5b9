import { describe, expect, it } from 'vitest';
import { TriggerdError } from '../../../src/domain/errors.ts';
import {
  parseFiring,
  parseInboxEntry,
  parseWholeFiring,
  serializeFiring,
  serializeInboxEntry,
} from '../../../src/firings/wire/firing.ts';
import { parseOutcome, serializeOutcome } from '../../../src/firings/wire/outcome.ts';
import { parseMember, parsePresence, serializeMember, serializePresence } from '../../../src/fleet/wire.ts';

const key = '/trigger/v1/firings/01K9ZQ4T5M8W3V6X7Y8Z9A0BCD';
const fixtures = import.meta.glob('../../fixtures/keyspace/*', { query: '?raw', import: 'default', eager: true });
const fixture = (name: string): string => fixtures[`../../fixtures/keyspace/${name}.json`] ?? '';
const puppet = (): Record<string, unknown> => JSON.parse(fixture('firing-puppet'));

describe('the documents in etcd', () => {
  it.each(['firing-puppet', 'firing-cli', 'firing-many', 'firing-brief'])(
    'the codec for etcd reads and writes %s without a loss',
    (name) => {
      const text = fixture(name);
      expect(JSON.parse(serializeFiring(parseFiring(key, text)))).toEqual(JSON.parse(text));
    },
  );

  it('the codec for etcd reads and writes an outcome and an inbox entry without a loss', () => {
    const outcome = fixture('outcome-finished');
    expect(JSON.parse(serializeOutcome(parseOutcome(key, outcome)))).toEqual(JSON.parse(outcome));
    const entry = fixture('inbox-entry');
    expect(JSON.parse(serializeInboxEntry(parseInboxEntry(key, entry).firing))).toEqual(JSON.parse(entry));
  });

  it('the codec for etcd reads and writes presence and membership without a loss', () => {
    const presence = {
      node: 'lb01.example.com',
      version: '0.1.0',
      instance: '01K9',
      roles: ['watch'],
      startedAt: 1_795_179_379_000,
      queues: { default: { queued: 1, running: 1 } },
    };
    expect(parsePresence(key, serializePresence(presence))).toEqual(presence);
    const machine = { machine: 'f00d', host: 'lb01', address: null };
    const member = { node: 'lb01.example.com', firstSeenAt: 1_795_179_379_000, machine };
    expect(parseMember(key, serializeMember(member))).toEqual(member);
  });

  it('the codec for etcd reads the presence and the membership of an earlier version', () => {
    const common = { format: 1, node: 'lb01.example.com' };
    const presence = { ...common, version: '0.1.0', started_at: '2026-11-20T11:00:00.000Z' };
    expect(parsePresence(key, JSON.stringify(presence)).instance).toBeNull();
    const member = { ...common, first_seen_at: '2026-11-20T11:00:00.000Z' };
    expect(parseMember(key, JSON.stringify(member)).machine).toBeNull();
  });

  it('the codec for etcd keeps signature and policy, whatever they are, and ignores unknown fields', () => {
    const document = { ...puppet(), signature: { by: 'web01', value: 'abc' }, policy: { rollout: ['10%'] }, newer: 1 };
    const firing = parseFiring(key, JSON.stringify(document));
    expect(firing.signature).toEqual(document.signature);
    expect(firing.policy).toEqual(document.policy);
    expect(firing).not.toHaveProperty('newer');
  });

  it.each([
    ['not JSON at all', 'nonsense'],
    ['no object', '[]'],
    ['no format', '{}'],
    ['a newer format', JSON.stringify({ ...puppet(), format: 2 })],
    ['an id that is no ULID', JSON.stringify({ ...puppet(), id: 'x' })],
    ['no targets', JSON.stringify({ ...puppet(), targets: [] })],
    ['neither targets nor their number', JSON.stringify({ ...puppet(), targets: null })],
    ['a target twice', JSON.stringify({ ...puppet(), targets: ['a', 'a'] })],
    ['a target that is no node name', JSON.stringify({ ...puppet(), targets: ['../x'] })],
    ['a control character in the name', JSON.stringify({ ...puppet(), trigger: 'a\nb' })],
    ['an argument that is no text', JSON.stringify({ ...puppet(), job: { plugin: null, args: { a: 1 } } })],
    ['a time that is none', JSON.stringify({ ...puppet(), expires_at: 'soon' })],
    ['an unknown kind of origin', JSON.stringify({ ...puppet(), origin: { kind: 'carrier pigeon', node: 'a' } })],
    ['100,000 levels of nesting', `{"format":1,"policy":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['more than 1 MiB', JSON.stringify({ ...puppet(), signature: 'x'.repeat(1_100_000) })],
  ])('the codec for etcd refuses %s and names the key', (_, text) => {
    const error = thrownBy(() => parseFiring(key, text));
    expect(error.code).toBe('firing-malformed');
    expect(error.message).toContain(key);
    expect(error.message.length).toBeLessThan(400);
  });

  it('the codec for etcd accepts no firing without its targets from a publisher', () => {
    expect(thrownBy(() => parseWholeFiring(key, fixture('firing-brief'))).message).toContain('targets: expected Array');
  });

  it('the codec for etcd says what it expects', () => {
    const error = thrownBy(() => parseFiring(key, JSON.stringify({ ...puppet(), targets: ['A/b'] })));
    expect(error.message).toBe(`${key}: targets.0: expected node name`);
  });

  it('the codec for etcd does not count brackets in texts as nesting', () => {
    const text = JSON.stringify({ ...puppet(), signature: `${'['.repeat(200)}"\\` });
    expect(parseFiring(key, text).id).toBe('01K9ZQ4T5M8W3V6X7Y8Z9A0BCD');
  });
});

const thrownBy = (act: () => unknown): TriggerdError => {
  try {
    act();
  } catch (error) {
    if (error instanceof TriggerdError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};
