import { describe, expect, it } from 'vitest';
import { judge, type Seen, type Standing } from '../../../src/fleet/names/judge.ts';
import { someHolder } from '../../support/names.ts';

const other = someHolder({ instance: 'other', machine: 'm1' });
const standing = (changes: Partial<Standing> = {}): Standing => ({
  self: { instance: 'self', machine: 'm1' },
  remembered: { instances: [] },
  lifeOf: () => 'unknown',
  isProven: false,
  isAdopted: false,
  isLongFree: false,
  isLongGone: false,
  ...changes,
});
const verdict = (seen: Partial<Seen>, changes: Partial<Standing> = {}): string => {
  const judgement = judge({ holder: undefined, presence: undefined, ...seen }, standing(changes));
  return judgement.kind === 'take' ? 'take' : judgement.why;
};
const present = { holder: other, presence: { instance: 'other' } };
const gone = { holder: other };
const remembers = { remembered: { instances: ['older', 'other'] } };
const wasRefused = { remembered: { instances: ['other'], refusedBy: { holder: 'other' } } };

describe('who may have a name', () => {
  it('a free node name goes to whoever asks for it', () => {
    expect(verdict({})).toBe('take');
  });

  it('a daemon keeps its own name, even after its presence was lost', () => {
    const ours = someHolder({ instance: 'self' });
    expect(verdict({ holder: ours, presence: { instance: 'self' } })).toBe('take');
    expect(verdict({ holder: ours })).toBe('take');
  });

  it('the restart of a process that is known to be dead gets the name at once, even without a memory', () => {
    const lifeOf = () => 'dead' as const;
    expect(verdict(present, { lifeOf })).toBe('take');
    expect(verdict(gone, { lifeOf })).toBe('take');
  });

  it('a living process of this machine keeps its name, whatever became of its lease', () => {
    const lifeOf = () => 'alive' as const;
    for (const seen of [present, gone])
      for (const changes of [remembers, { isAdopted: true }, { isLongFree: true }, { isLongGone: true }])
        expect(verdict(seen, { lifeOf, ...changes })).toBe('alive');
  });

  it('a present holder whose life nobody can see is waited for until it is proven', () => {
    expect(verdict(present, remembers)).toBe('predecessor');
    expect(verdict(present, { ...remembers, isProven: true })).toBe('present');
    expect(verdict(present, wasRefused)).toBe('present');
    expect(verdict(present, { isAdopted: true, isProven: true })).toBe('present');
  });

  it('the same machine with the same state folder gets the name once the presence has ended', () => {
    expect(verdict(gone, remembers)).toBe('take');
  });

  it.each([
    ['without a memory of it', {}],
    ['on another machine', { ...remembers, self: { instance: 'self', machine: 'm2' } }],
    ['with a folder that was refused while the other one lived', wasRefused],
    ['with such a folder, after the other one’s death', { ...wasRefused, lifeOf: () => 'dead' as const }],
  ])('a daemon %s waits for the end of the holder key, or is adopted', (_, changes) => {
    expect(verdict(gone, changes)).toBe('elsewhere');
    expect(verdict(gone, { ...changes, isAdopted: true })).toBe('take');
    expect(verdict({}, changes)).toBe('take');
  });

  it('a holder that was absent for long loses the name to another machine, unless it is present or unreadable', () => {
    const changes = { ...wasRefused, self: { instance: 'self', machine: 'm2' }, isLongGone: true };
    expect(verdict(gone, changes)).toBe('take');
    expect(verdict(present, changes)).toBe('present');
    expect(verdict({ holder: 'unreadable' }, changes)).toBe('elsewhere');
  });

  it('an earlier version’s presence holds the name as long as it exists', () => {
    const old = { presence: { instance: null } };
    expect(verdict(old)).toBe('predecessor');
    expect(verdict(old, { isProven: true, isAdopted: true })).toBe('present');
    const ours = someHolder({ instance: 'self' });
    expect(verdict({ ...old, holder: ours }, { isProven: true })).toBe('present');
    expect(judge({ ...old, holder: ours }, standing()), 'who we say it is').toMatchObject({ holder: null });
  });

  it('a daemon refused by an earlier version, which leaves no holder key, watches for long whether the name is free', () => {
    const changes = { remembered: { instances: [], refusedBy: { holder: null } } };
    expect(verdict({}, changes)).toBe('elsewhere');
    expect(verdict({}, { ...changes, isLongFree: true })).toBe('take');
  });

  it('nobody can take a name whose holder key is unreadable', () => {
    expect(verdict({ holder: 'unreadable' }, remembers)).toBe('elsewhere');
    expect(verdict({ holder: 'unreadable' }, { isAdopted: true })).toBe('take');
  });
});
