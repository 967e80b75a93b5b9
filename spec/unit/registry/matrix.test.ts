import { beforeAll, describe, expect, it } from 'vitest';
import { TriggerdError } from '../../../src/domain/errors.ts';
import type { RequestRecord } from '../../../src/domain/request-record.ts';
import type { Actor } from '../../../src/registry/rules/rule-context.ts';
import { decide } from '../../../src/registry/rules/rules.ts';
import type { Snapshot } from '../../../src/registry/snapshot.ts';
import type { Statement } from '../../../src/registry/statements.ts';
import { parseStatement } from '../../../src/registry/statements.ts';
import { local, password } from '../../support/registry.ts';
import { newWorld, verbs } from '../../support/registry-world.ts';

/**
 * G4, G9: every verb × every kind of actor. In team1, ann is admin, bob owns what there is (all of it visible to its
 * owner only, but for `shown`), cid is another member, dan an admin who is disabled. eve is admin of team2.
 */
const user = (identity: string, team = 'team1'): Actor => ({ kind: 'user', identity, team });
const insiders = { root: local, ann: user('ann'), bob: user('bob'), cid: user('cid') };
const outsiders = {
  'eve of team2': user('eve', 'team2'),
  'eve with the name of team1': user('eve'),
  'dan, disabled': user('dan'),
  'a user that is not there': user('zoe'),
  'a user called toString': user('toString'),
};
type Insider = keyof typeof insiders;
type Refusal = 'registry-denied' | 'registry-not-found';

const all: readonly Insider[] = ['root', 'ann', 'bob', 'cid'];
const owners: readonly Insider[] = ['root', 'ann', 'bob'];
const admins: readonly Insider[] = ['root', 'ann'];
/** Who may, and what the other members of the team hear. */
const cases: readonly [Statement, readonly Insider[], (Refusal | Partial<Record<Insider, Refusal>>)?][] = [
  [{ verb: 'team.set', name: 'team1', description: 'x' }, admins, 'registry-denied'],
  [{ verb: 'team.delete', name: 'empty' }, ['root', 'ann'], 'registry-not-found'],
  [{ verb: 'team.invite', team: 'team1', identity: 'eve', role: 'member' }, admins, 'registry-denied'],
  [{ verb: 'team.remove', team: 'team1', identity: 'bob' }, owners, 'registry-denied'],
  [{ verb: 'user.add', team: 'team1', identity: 'new', secret: password }, admins, 'registry-denied'],
  [{ verb: 'user.set', team: 'team1', identity: 'bob', secret: password }, owners, 'registry-denied'],
  [{ verb: 'user.set', team: 'team1', identity: 'bob', description: 'x' }, owners, 'registry-denied'],
  [{ verb: 'user.set', team: 'team1', identity: 'bob', role: 'admin' }, admins, 'registry-denied'],
  [{ verb: 'user.set', team: 'team1', identity: 'bob', disabled: true }, admins, 'registry-denied'],
  [{ verb: 'user.revoke', team: 'team1', identity: 'bob' }, owners, 'registry-denied'],
  [{ verb: 'user.list', team: 'team1' }, all],
  [{ verb: 'user.delete', team: 'team1', identity: 'bob' }, admins, 'registry-denied'],
  [{ verb: 'worker.add', team: 'team1', identity: 'new' }, all],
  [{ verb: 'worker.set', team: 'team1', identity: 'worker', description: 'x' }, owners, 'registry-denied'],
  [{ verb: 'worker.rotate', team: 'team1', identity: 'worker' }, owners, 'registry-denied'],
  [{ verb: 'worker.list', team: 'team1' }, all],
  [{ verb: 'worker.delete', team: 'team1', identity: 'idle' }, owners, 'registry-denied'],
  [{ verb: 'service.add', team: 'team1', name: 'new' }, all],
  [{ verb: 'service.set', team: 'team1', name: 'hidden', visibility: 'team' }, owners, 'registry-not-found'],
  [{ verb: 'service.set', team: 'team1', name: 'shown', visibility: 'team' }, owners, 'registry-denied'],
  [{ verb: 'service.attach', team: 'team1', name: 'hidden', worker: 'idle' }, owners, 'registry-not-found'],
  [{ verb: 'service.attach', team: 'team1', name: 'shown', worker: 'idle' }, owners, 'registry-denied'],
  [
    { verb: 'service.attach', team: 'team1', name: 'cids', worker: 'idle' },
    admins,
    { bob: 'registry-not-found', cid: 'registry-denied' },
  ],
  [{ verb: 'service.detach', team: 'team1', name: 'hidden', worker: 'worker' }, owners, 'registry-not-found'],
  [{ verb: 'service.list', team: 'team1' }, all],
  [{ verb: 'service.delete', team: 'team1', name: 'shown' }, owners, 'registry-denied'],
  [{ verb: 'definition.add', team: 'team1', path: '/dir/new' }, all],
  [{ verb: 'definition.set', team: 'team1', name: 'file', plugin: 'echo' }, owners, 'registry-not-found'],
  [{ verb: 'definition.set', team: 'team1', name: '/dir/file', path: '/dir/other' }, owners, 'registry-not-found'],
  [{ verb: 'definition.list', team: 'team1' }, all],
  [{ verb: 'definition.delete', team: 'team1', name: '/dir/file' }, owners, 'registry-not-found'],
  [{ verb: 'definition.count', team: 'team1', counter: '01HZZZZZZZZZZZZZZZZZZZZZZZ', hits: { 1: 1 } }, all],
  [{ verb: 'directory.add', team: 'team1', path: '/new' }, all],
  [{ verb: 'directory.set', team: 'team1', path: '/dir', to: '/moved' }, owners, 'registry-denied'],
  [{ verb: 'directory.list', team: 'team1' }, all],
  [{ verb: 'directory.delete', team: 'team1', path: '/nothing' }, owners, 'registry-denied'],
  [{ verb: 'history.list', team: 'team1' }, all],
];
/** These are about the asking user himself; `teams.test.ts` has them. */
const ownAffairs = ['team.add', 'team.list', 'team.accept', 'team.decline'];

describe('who may do what', () => {
  let registry: Snapshot;

  beforeAll(async () => {
    const world = await newWorld();
    const { asRoot } = world;
    for (const identity of ['bob', 'cid', 'dan'])
      await asRoot({ verb: 'user.add', identity, secret: password, role: identity === 'dan' ? 'admin' : 'member' });
    await asRoot({ verb: 'user.set', identity: 'dan', disabled: true });
    await asRoot({ verb: 'team.add', name: 'team2' });
    await asRoot({ verb: 'user.add', team: 'team2', identity: 'eve', secret: password, role: 'admin' });
    await world.as('ann', 'team1')({ verb: 'team.add', name: 'empty' });
    const bob = world.as('bob');
    for (const identity of ['worker', 'idle']) await bob({ verb: 'worker.add', identity });
    await bob({ verb: 'service.add', name: 'hidden' });
    await bob({ verb: 'service.add', name: 'shown', visibility: 'public' });
    await world.as('cid')({ verb: 'service.add', name: 'cids', visibility: 'local' });
    await bob({ verb: 'service.attach', name: 'hidden', worker: 'worker' });
    await bob({ verb: 'directory.add', path: '/dir' });
    await bob({ verb: 'directory.add', path: '/nothing' });
    await bob({ verb: 'definition.add', path: '/dir/file', service: 'hidden' });
    await world.as('eve', 'team2')({ verb: 'service.add', name: 'open', visibility: 'public' });
    await world.as('eve', 'team2')({ verb: 'service.add', name: 'inner', visibility: 'team' });
    registry = await world.registry.mirror.current();
  });

  const facts = {
    now: '',
    secretHash: '',
    workerToken: { token: '', hash: '' },
    online: new Map(),
    argumentBytes: 16_384,
  };

  /** What he hears: the answer, or the refusal with its code. */
  const hears = (actor: Actor, input: object): { readonly code: string; readonly text: string } => {
    try {
      return { code: 'allowed', text: JSON.stringify(decide({ registry, actor, facts }, parseStatement(input))) };
    } catch (error) {
      if (error instanceof TriggerdError) return { code: error.code, text: error.message };
      throw error;
    }
  };

  it('the matrix of rights has every verb', () => {
    const covered = new Set([...cases.map(([{ verb }]) => verb), ...ownAffairs]);
    expect([...covered].sort()).toEqual([...verbs].sort());
  });

  describe.each(cases)('%j', (statement, allowed, refusal) => {
    it.each(all)('a statement is allowed as the matrix says: %s', (name) => {
      // ann acts in `empty` where that is the team that is meant.
      const isEmpty = 'name' in statement && statement.name === 'empty';
      const actor = isEmpty && name !== 'root' ? user(name, 'empty') : insiders[name];
      const refused = typeof refusal === 'object' ? refusal[name] : refusal;
      const expected = allowed.includes(name) ? 'allowed' : refused;
      expect(hears(actor, statement).code).toBe(expected);
    });

    it.each(Object.entries(outsiders))('%s gets the answer of a team that does not exist', (_name, actor) => {
      const nowhere = JSON.parse(JSON.stringify(statement).replace(/team1|empty/g, 'nowhere')) as object;
      const { code, text } = hears(actor, statement);
      expect({ code, text: text.replace(/team1|empty/, 'nowhere') }).toEqual(hears(actor, nowhere));
      expect(code).toBe('registry-not-found');
    });
  });

  it('a member’s list has their own entries, and visible ones', () => {
    const rows = (verb: string) =>
      JSON.parse(hears(insiders.cid, { verb, team: 'team1' }).text).rows as { name: string }[];
    expect(rows('service.list').map(({ name }) => name)).toEqual(['shown', 'cids']);
    expect(rows('definition.list')).toEqual([]);
  });

  describe('the history shows', () => {
    const asked = (user: string, service: string, service_team = 'team1', received_at = '2099-01-01T00:00:00.000Z') =>
      ({ user, service, service_team, received_at }) as RequestRecord;
    const requests = {
      'bob’s to his hidden service': asked('bob', 'hidden'),
      'cid’s to it, from when he might': asked('cid', 'hidden'),
      'ann’s to it': asked('ann', 'hidden'),
      'ann’s to cid’s service': asked('ann', 'cids'),
      'ann’s to the public one': asked('ann', 'shown'),
      'ann’s to bob’s worker': asked('ann', 'worker'),
      'ann’s to a public one of team2': asked('ann', 'open', 'team2'),
      'ann’s to one that team2 has for itself': asked('ann', 'inner', 'team2'),
      'ann’s to one that is gone': asked('ann', 'gone'),
      'a namesake of bob’s': asked('bob', 'gone', 'team1', '2001-01-01T00:00:00.000Z'),
      'ann’s to a namesake of the hidden one': asked('ann', 'hidden', 'team1', '2001-01-01T00:00:00.000Z'),
    };
    const shown = (actor: Actor): string[] => {
      const { rows, shows } = decide({ registry, actor, facts }, { verb: 'history.list', team: 'team1' });
      expect(rows).toEqual([]);
      return Object.entries(requests).flatMap(([name, record]) => (shows?.(record) ? [name] : []));
    };

    it.each(admins)('the history shows all of the team to %s', (name) => {
      expect(shown(insiders[name])).toEqual(Object.keys(requests));
    });

    it('the history shows a member their own requests, and those to services that they may see', () => {
      expect(shown(insiders.bob)).toEqual([
        'bob’s to his hidden service',
        'cid’s to it, from when he might',
        'ann’s to it',
        'ann’s to the public one',
        'ann’s to bob’s worker',
        'ann’s to a public one of team2',
      ]);
      expect(shown(insiders.cid)).toEqual([
        'cid’s to it, from when he might',
        'ann’s to cid’s service',
        'ann’s to the public one',
        'ann’s to a public one of team2',
      ]);
    });
  });
});
