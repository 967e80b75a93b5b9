import { describe, expect, it } from 'vitest';
import { askEtcd, checkClock, checkEtcd, isEndOfLife, isTooOld, knownDefects } from '../../../src/doctor/etcd.ts';
import type { EtcdMember } from '../../../src/doctor/ports.ts';
import { TriggerdError } from '../../../src/domain/errors.ts';

const healthy: EtcdMember = {
  version: '3.6.20',
  hasLeader: true,
  isLearner: false,
  latencyMs: 1.2,
  dbBytes: 2 ** 20,
  usedBytes: 2 ** 19,
  complaints: [],
  quotaBytes: 2 ** 31,
  clockAheadMs: 200,
};
const endpoint = 'http://etcd1:2379';
const findings = (changes: Partial<EtcdMember>) => checkEtcd([{ endpoint, member: { ...healthy, ...changes } }]);

describe('etcd’s versions', () => {
  it.each([
    ['3.4.23', ['#15271', '#17529', '33343', '73499']],
    ['3.4.45', ['73499']],
    ['3.5.2', ['#13766', '#17529', '73499']],
    ['3.5.16', ['73499']],
    ['3.5.33', []],
    ['3.6.14', []],
    ['4.0.0-rc.1', []],
  ])('doctor judges etcd’s version %s', (version, expected) => {
    const found = knownDefects(version);
    expect(found).toHaveLength(expected.length);
    for (const [at, part] of expected.entries()) expect(found[at]).toContain(part);
  });

  it('doctor tells etcd’s versions that have ended from those that are too old for triggerd', () => {
    expect([isEndOfLife('3.4.45'), isEndOfLife('3.5.1')]).toEqual([true, false]);
    expect([isTooOld('3.3.27'), isTooOld('2.3.8'), isTooOld('3.4.0'), isTooOld('4.0.0')]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('a member of etcd', () => {
  it('a healthy member of etcd is fine', () => {
    expect(findings({})).toEqual([
      {
        area: 'etcd',
        state: 'fine',
        what: 'http://etcd1:2379: etcd 3.6.20, answers in 1.2 ms, 0.5 MiB in use, a file of 1.0 MiB of 2048 MiB',
      },
    ]);
  });

  it.each([
    ['http://127.0.0.1:2379', 'every account of this machine'],
    ['https://localhost:2379', 'every account of this machine'],
    ['http://[::1]:2379', 'every account of this machine'],
    ['http://localhost.example.com:2379', 'everybody who reaches it'],
    ['https://etcd1:2379', 'everybody who reaches it'],
  ])('a member of etcd that answers anybody is wrong: %s', (place, who) => {
    expect(checkEtcd([{ endpoint: place, member: healthy, isOpen: true }])[1]).toEqual({
      area: 'etcd',
      state: 'wrong',
      what: `${place}: etcd answers without credentials: ${who} can change users and fire at nodes, and so become root there`,
      remedy: expect.stringContaining('client certificates'),
    });
  });

  it.each<[string, Partial<EtcdMember>, string, RegExp]>([
    ['has no leader', { hasLeader: false }, 'wrong', /no leader/],
    ['is a learner', { isLearner: true }, 'warning', /learner/],
    ['is full', { complaints: ['memberID:1 alarm:NOSPACE '] }, 'wrong', /NOSPACE/],
    ['fills up', { usedBytes: 1.2 * 2 ** 30, dbBytes: 1.3 * 2 ** 30 }, 'warning', /1229 MiB in use.* of 2048 MiB/],
    ['has a large file', { dbBytes: 1.7 * 2 ** 30 }, 'warning', /a file of 1741 MiB of 2048 MiB/],
    ['is nearly full', { usedBytes: 1.7 * 2 ** 30, dbBytes: 1.7 * 2 ** 30 }, 'wrong', /nothing more/],
    ['has a file at its quota', { dbBytes: 1.96 * 2 ** 30 }, 'wrong', /nothing more/],
    ['is nearly full by etcd’s default', { usedBytes: 1.9 * 2 ** 30, quotaBytes: null }, 'wrong', /etcd’s default/],
    ['is slow', { latencyMs: 250 }, 'warning', /250 ms/],
    ['has defects', { version: '3.5.10' }, 'warning', /#17529/],
    ['is too old', { version: '3.3.1' }, 'wrong', /too old/],
  ])('doctor reports a member of etcd that %s', (_name, changes, state, what) => {
    const found = findings(changes).find((finding) => finding.state === state);
    expect(found?.what).toMatch(what);
    expect(found).toHaveProperty('remedy');
  });

  it('an absent member of etcd is a warning while another one answers, and wrong when none does', async () => {
    const away = async () => {
      throw new TriggerdError('etcd-unreachable', 'asking http://etcd1:2379: refused');
    };
    const [answer] = await askEtcd({ member: away, isOpenToStrangers: away }, [endpoint]);
    if (answer === undefined) throw new Error('no answer');
    expect(checkEtcd([answer])).toMatchObject([{ state: 'wrong', what: 'asking http://etcd1:2379: refused' }]);
    expect(checkEtcd([answer, { endpoint: 'http://etcd2:2379', member: healthy }])).toMatchObject([
      { state: 'warning' },
      { state: 'fine' },
    ]);
  });
});

describe('the clock', () => {
  const clock = (...aheadMs: (number | null)[]) =>
    checkClock(
      aheadMs.map((each, at) => ({ endpoint: `http://etcd${at}`, member: { ...healthy, clockAheadMs: each } })),
    );

  it.each([
    [[300, -400], 'fine', /a second or so/],
    [[3_000], 'fine', /within 3s/],
    [[100, -9_000], 'warning', /^9s behind http:\/\/etcd1$/],
    [[61_000, 2_000], 'wrong', /^1m1s ahead of http:\/\/etcd0$/],
    [[null], 'unused', /nothing to compare/],
  ])('doctor judges clocks that differ by %j ms', (aheadMs, state, what) => {
    const [finding] = clock(...aheadMs);
    expect(finding?.state).toBe(state);
    expect(finding?.what).toMatch(what);
  });
});
