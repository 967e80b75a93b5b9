import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TriggerdError } from '../../../../src/domain/errors.ts';
import { AwaitedFirings } from '../../../../src/firings/inbox/awaited-firings.ts';
import { publishFiring } from '../../../../src/firings/publish/publish.ts';
import { keysBelow } from '../../../../src/store/keys.ts';
import { MemoryStore } from '../../../support/memory-store.ts';
import { until } from '../../../support/wait.ts';
import { someFiring } from '../../../support/watch-room.ts';

const keys = keysBelow('/trigger');

describe('AwaitedFirings', () => {
  let store: MemoryStore;
  let awaited: AwaitedFirings;
  const appeared: string[] = [];

  beforeEach(() => {
    store = new MemoryStore();
    appeared.length = 0;
    const onAppeared = async (id: string) => void appeared.push(id);
    awaited = new AwaitedFirings({ store, firingKey: keys.firing, onAppeared });
  });
  afterEach(() => awaited.stop());
  const outage = (code: 'etcd-unreachable' | 'etcd-refused') => store.fail(new TriggerdError(code, 'not now'));

  it('an awaited firing is announced once', async () => {
    const firing = someFiring();
    awaited.expect(firing.id, 1n);
    awaited.expect(firing.id, 1n);
    await publishFiring({ store, keys }, firing);
    await until(() => awaited.count === 0, 'nothing to be awaited');
    expect(appeared).toEqual([firing.id]);
  });

  it('a firing is still awaited after an outage in which it may have arrived and its revision gone', async () => {
    const firing = someFiring();
    const reads = vi.spyOn(store, 'get');
    awaited.expect(firing.id, 2n);
    outage('etcd-unreachable');
    await until(() => reads.mock.calls.length > 0, 'another try');
    store.outage = undefined;
    await publishFiring({ store, keys }, firing);
    store.compact();
    await until(() => appeared.length === 1, 'the firing');
    expect(appeared).toEqual([firing.id]);
  });

  it('an awaited firing is read once when its time is known, and awaited again if it is missing', async () => {
    const [soon, late] = [someFiring(), someFiring()];
    const waits = vi.spyOn(store, 'nextValue');
    await publishFiring({ store, keys }, soon);
    awaited.expect(soon.id, 1n, 1);
    await until(() => appeared.length === 1, 'the one that is there');
    expect(waits).not.toHaveBeenCalled();
    awaited.expect(late.id, 2n, 1);
    await until(() => waits.mock.calls.length === 1, 'a watch');
    await publishFiring({ store, keys }, late);
    await until(() => appeared.length === 2, 'the late one');
    expect(appeared).toEqual([soon.id, late.id]);
  });

  it('an awaited firing that etcd refuses is left to the listings', async () => {
    awaited.expect(someFiring().id, 1n);
    outage('etcd-refused');
    await until(() => awaited.count === 0, 'nothing to be awaited');
    expect(appeared).toEqual([]);
  });

  it('an awaited firing that was just forgotten is awaited again immediately', async () => {
    const firing = someFiring();
    awaited.expect(firing.id, 1n);
    awaited.forget(firing.id);
    awaited.expect(firing.id, 1n);
    await publishFiring({ store, keys }, firing);
    await until(() => appeared.length === 1, 'the firing');
    expect(appeared).toEqual([firing.id]);
  });

  it('an awaited firing can be forgotten', async () => {
    const firing = someFiring();
    awaited.expect(firing.id, 1n);
    awaited.forget(firing.id);
    await until(() => awaited.count === 0, 'nothing to be awaited');
    await publishFiring({ store, keys }, firing);
    expect(appeared).toEqual([]);
  });
});
