import { describe, expect, it } from 'vitest';
import { node } from '../../../src/registry/model.ts';
import { RegistryState } from '../../../src/registry/snapshot.ts';
import { serialize, serializeHits } from '../../../src/registry/wire.ts';
import { parseDocument } from '../../../src/store/document.ts';
import registry from '../../fixtures/keyspace/registry.json?raw';

/** What is in etcd is a promise: these documents have to load for ever, and are written as they are here. */
const samples = JSON.parse(registry) as Record<string, { readonly format: number }>;
const base = '/trigger/v1/registry/';

describe('the samples of the registry', () => {
  const complaints: string[] = [];
  const state = new RegistryState(base, 1n, (key) => complaints.push(key));
  for (const [name, document] of Object.entries(samples)) {
    const key = `${base}${name}`;
    state.put({ key, value: JSON.stringify(document), createRevision: 1n, modRevision: 1n, isLeased: false });
  }
  const team = state.holdings('team1');
  const guardOf = (name: string | null) => {
    const guard = state.guard(name);
    return guard !== undefined && 'document' in guard ? guard.document : undefined;
  };

  it('the samples of the registry load', () => expect(complaints).toEqual([]));

  it.each<[string, Parameters<typeof serialize>[0] | undefined]>([
    ['installation', state.installation],
    ['issuers/3rLdnVsBrDgSTvIJnAt0VlBRkFYzW0XXQsfVxdyCCvI', [...state.issuers.values()][0]],
    ['guard', guardOf(null)],
    ['guards/team1', guardOf('team1')],
    ['teams/team1', state.teams.get('team1')],
    ['users/hp', state.users.get('hp')],
    ['teams/team2', state.teams.get('team2')],
    ['users/ada', state.users.get('ada')],
    ['workers/team1/demo01', team.workers.get('demo01')],
    ['services/team1/demoservice', team.services.get('demoservice')],
    ['tree/team1/0/newtrigger', team.child(0, 'newtrigger')],
    ['tree/team1/1/demotrigger', team.child(1, 'demotrigger')],
  ])('the sample %s is written as it was read', (name, record) => {
    expect(record).toBeDefined();
    expect(JSON.parse(record === undefined ? '' : serialize(record))).toEqual(samples[name]);
  });

  it('a trigger of a version without deadlines has none', () => {
    const { deadline_ms: _deadline, ...before } = samples['tree/team1/1/demotrigger'] as Record<string, unknown>;
    expect(parseDocument(node, 'tree/team1/1/demotrigger', JSON.stringify(before))).toMatchObject({
      deadline_ms: null,
    });
  });

  it('a trigger of a version without partial messages treats them by its framing', () => {
    const { partial: _partial, ...before } = samples['tree/team1/1/demotrigger'] as Record<string, unknown>;
    expect(parseDocument(node, 'tree/team1/1/demotrigger', JSON.stringify(before))).toMatchObject({ partial: null });
  });

  it('hits of the samples are summed, and written as they were read', () => {
    expect(team.hits(2)).toBe(7);
    expect(JSON.parse(serializeHits(3))).toEqual(samples['hits/team1/2/web01.example.com']);
    const lastAt = '2026-01-02T03:04:06.000Z';
    expect(JSON.parse(serializeHits(4, lastAt))).toEqual(samples['hits/team1/2/web02.example.com']);
    // The first is of a release that wrote no times.
    expect(team.lastHitAt(2)).toBe(lastAt);
  });

  it('all samples of the registry were tested', () => expect(Object.keys(samples)).toHaveLength(14));
});
