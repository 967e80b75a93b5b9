import type { IWatchResponse } from 'etcd3';
import { describe, expect, it } from 'vitest';
import { Fragments } from '../../../src/adapters/etcd/watch.ts';

const response = (revisions: number[], fragment = false): IWatchResponse => ({
  header: { cluster_id: '1', member_id: '1', revision: '1000', raft_term: '1' },
  watch_id: '0',
  created: false,
  canceled: false,
  compact_revision: '0',
  cancel_reason: '',
  fragment,
  events: revisions.map((revision, index) => ({
    type: 'Put' as const,
    kv: {
      key: Buffer.from(`k${index}`),
      value: Buffer.from(''),
      create_revision: String(revision),
      mod_revision: String(revision),
      version: '1',
      lease: '0',
    },
    prev_kv: undefined as never,
  })),
});
const shape = (batch: ReturnType<Fragments['add']>) => batch && [batch.events.length, Number(batch.revision)];

describe('fragmented watch responses', () => {
  it('fragmented watch responses are delivered in whole revisions', () => {
    const fragments = new Fragments(0n);
    expect(shape(fragments.add(response([1, 2, 2], true)))).toEqual([1, 1]);
    expect(shape(fragments.add(response([2], true)))).toBeUndefined();
    expect(shape(fragments.add(response([2, 3])))).toEqual([5, 3]);
  });

  it('fragmented watch responses take their position from the events, never from the header, which is ahead of them', () => {
    expect(shape(new Fragments(0n).add(response([5])))).toEqual([1, 5]);
  });

  it('fragmented watch responses report progress only when no fragment is held back', () => {
    const fragments = new Fragments(0n);
    fragments.add(response([1], true));
    expect(fragments.progress(10n)).toBeUndefined();
    fragments.add(response([1]));
    expect(fragments.progress(10n)).toEqual({ events: [], revision: 10n });
    expect(fragments.progress(10n)).toBeUndefined();
  });

  it('fragmented watch responses leave out what has been delivered before', () => {
    expect(shape(new Fragments(4n).add(response([3, 4, 5])))).toEqual([1, 5]);
  });
});
