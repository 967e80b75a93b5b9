import { expect, it } from 'vitest';
import { nodes } from '../../../../src/fleet/nodes.ts';
import { serializePresence } from '../../../../src/fleet/wire.ts';
import { keysBelow } from '../../../../src/store/keys.ts';
import { MemoryStore } from '../../../support/memory-store.ts';

it('the origin of a firing has no node whose key is no name, because shells complete what is shown', async () => {
  const store = new MemoryStore();
  const keys = keysBelow('/trigger');
  const value = serializePresence({
    node: 'lb01',
    version: '1.2.3',
    instance: 'i1',
    roles: [],
    startedAt: 0,
    queues: {},
  });
  for (const name of ['lb01', '$(reboot)', 'a\n:commands', 'x y'])
    await store.commit({ compare: [], write: [{ put: keys.node(name), value }] });
  expect((await nodes({ store, keys })).map(({ node }) => node)).toEqual(['lb01']);
});
