import { describe, expect, it } from 'vitest';
import { TriggerdError } from '../../../../src/domain/errors.ts';
import { isSafeToDefragment, Upkeep, type UpkeepMode } from '../../../../src/firings/sweep/upkeep.ts';
import type { EtcdMaintenance, MemberState } from '../../../../src/store/space.ts';
import { recordingLog } from '../../../support/recording-log.ts';

type Up = Extract<MemberState, { readonly kind: 'up' }>;
const minute = 60_000;

/** A cluster whose compaction halves what is in use, and whose defragmentation leaves what is in use. */
class Cluster implements EtcdMaintenance {
  members_: MemberState[] = [];
  readonly did: string[] = [];
  others = false;
  refusal: TriggerdError | undefined;

  constructor(count = 1, changes: Partial<Up> = {}) {
    for (let id = 1; id <= count; id++)
      this.members_.push({
        kind: 'up',
        id: `m${id}`,
        endpoint: `http://etcd${id}`,
        version: '3.6.1',
        revision: 1_000n,
        isLeader: id === 1,
        isHealthy: true,
        hasNoSpace: false,
        fileBytes: 30,
        usedBytes: 30,
        quotaBytes: 100,
        ...changes,
      });
  }

  change(changes: Partial<Up>): void {
    this.members_ = this.members_.map((member) => (member.kind === 'up' ? { ...member, ...changes } : member));
  }

  async measure() {
    return { fileBytes: 1, usedBytes: 1, quotaBytes: 100 };
  }
  async members() {
    if (this.refusal) throw this.refusal;
    return this.members_;
  }
  async compact(revision: bigint) {
    this.did.push(`compact ${revision}`);
    this.members_ = this.members_.map((member) =>
      member.kind === 'up' ? { ...member, usedBytes: member.usedBytes / 4 } : member,
    );
  }
  async defragment(endpoint: string) {
    this.did.push(`defragment ${endpoint}`);
    this.members_ = this.members_.map((member) =>
      member.kind === 'up' && member.endpoint === endpoint ? { ...member, fileBytes: member.usedBytes } : member,
    );
  }
  async disarmNoSpace() {
    this.did.push('disarm');
    this.change({ hasNoSpace: false });
  }
  async hasOtherKeys() {
    return this.others;
  }
}

const upkeepOf = (maintenance: Cluster, mode: UpkeepMode = 'auto') => {
  let now = 0;
  const log = recordingLog();
  const upkeep = new Upkeep({ maintenance, mode, compactAfterMs: 10 * minute, log, now: () => now });
  return {
    log,
    /** A round every half a minute, and its followers. */
    pass: async (ms: number) => {
      for (const until = now + ms; now < until; now += 30_000)
        for (let round = 0; round < 5 && !(await upkeep.tend(() => true)); round++);
    },
    tend: (mayGoOn = () => true) => upkeep.tend(mayGoOn),
  };
};

describe('the upkeep of etcd', () => {
  it('the upkeep of etcd does nothing while less than half of the quota is used', async () => {
    const cluster = new Cluster(1, { fileBytes: 49, usedBytes: 49 });
    await upkeepOf(cluster).pass(60 * minute);
    expect(cluster.did).toEqual([]);
  });

  it('the upkeep of etcd compacts what it saw ten minutes ago, nothing younger, and defragments the file', async () => {
    const cluster = new Cluster(1, { fileBytes: 60, usedBytes: 60 });
    const { pass } = upkeepOf(cluster);
    await pass(minute);
    cluster.change({ revision: 2_000n });
    await pass(8 * minute);
    expect(cluster.did).toEqual([]);
    await pass(2 * minute);
    expect(cluster.did).toEqual(['compact 1000', 'defragment http://etcd1']);
  });

  it('the upkeep of a full etcd keeps one minute of history, and disarms the alarm when space is free', async () => {
    const cluster = new Cluster(1, { fileBytes: 100, usedBytes: 100, hasNoSpace: true });
    const { pass } = upkeepOf(cluster);
    await pass(minute);
    expect(cluster.did).toEqual([]);
    await pass(minute);
    expect(cluster.did).toEqual(['compact 1000', 'defragment http://etcd1', 'disarm']);
  });

  it('the upkeep of etcd leaves the alarm alone while the file is full, and defragments it once an hour at most', async () => {
    const cluster = new Cluster(1, { fileBytes: 100, usedBytes: 100, hasNoSpace: true });
    cluster.compact = async (revision) => void cluster.did.push(`compact ${revision}`);
    await upkeepOf(cluster).pass(50 * minute);
    expect(cluster.did).toEqual(['compact 1000', 'defragment http://etcd1']);
  });

  it('the upkeep of etcd defragments one member after the other, the leader last', async () => {
    const cluster = new Cluster(3, { fileBytes: 80, usedBytes: 20 });
    await upkeepOf(cluster).pass(2 * minute);
    expect(cluster.did).toEqual(['defragment http://etcd2', 'defragment http://etcd3', 'defragment http://etcd1']);
  });

  it.each<[string, (cluster: Cluster) => void]>([
    ['is away', (cluster) => cluster.members_.splice(2, 1, { kind: 'away', id: 'm3', name: 'etcd3' })],
    ['is not well', (cluster) => cluster.members_.splice(2, 1, { ...(cluster.members_[2] as Up), isHealthy: false })],
    ['has a version that may lose data', (cluster) => cluster.change({ version: '3.5.4' })],
  ])('the upkeep of etcd defragments no member while one %s, and says so once', async (_name, spoil) => {
    const cluster = new Cluster(3, { fileBytes: 80, usedBytes: 20 });
    spoil(cluster);
    const { pass, log } = upkeepOf(cluster);
    await pass(20 * minute);
    expect(cluster.did).toEqual([]);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('the upkeep leaves an etcd alone that has others’ keys, unless it is configured otherwise', async () => {
    const full = { fileBytes: 100, usedBytes: 100, hasNoSpace: true };
    for (const [mode, expected] of [
      ['auto', 0],
      ['never', 0],
      ['always', 3],
    ] as const) {
      const cluster = new Cluster(1, full);
      cluster.others = true;
      await upkeepOf(cluster, mode).pass(5 * minute);
      expect(cluster.did).toHaveLength(expected);
    }
  });

  it('the upkeep of etcd pauses for an hour when etcd’s user has no right to it, with one line in the log', async () => {
    const cluster = new Cluster(1, { fileBytes: 100, usedBytes: 100 });
    cluster.refusal = new TriggerdError('etcd-refused', 'permission denied');
    const { pass, log } = upkeepOf(cluster);
    await pass(55 * minute);
    expect(log.lines).toHaveLength(1);
    cluster.refusal = undefined;
    await pass(10 * minute);
    expect(cluster.did).not.toEqual([]);
  });

  it('the upkeep of etcd stops between two steps when the election is lost', async () => {
    const cluster = new Cluster(1, { fileBytes: 80, usedBytes: 20 });
    await upkeepOf(cluster).tend(() => false);
    expect(cluster.did).toEqual([]);
  });

  it.each([
    ['3.4.23', true],
    ['3.5.0', false],
    ['3.5.5', false],
    ['3.5.6', true],
    ['3.5.16+dfsg', true],
    ['3.6.0-rc.1', true],
    ['4.0.0', true],
  ])('the upkeep knows that etcd %s may be defragmented by a program: %s', (version, isSafe) => {
    expect(isSafeToDefragment(version)).toBe(isSafe);
  });
});
