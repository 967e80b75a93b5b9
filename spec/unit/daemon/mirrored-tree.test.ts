import { expect, it, vi } from 'vitest';
import { mirroredTree } from '../../../src/daemon/mount/tree-sources.ts';
import type { Registry } from '../../../src/registry/registry.ts';

const definition = (name: string, owner_id: number, visibility: 'local' | 'team') => [
  name,
  { kind: 'definition', name, owner: 'hp', owner_id, visibility },
];

const registry = {
  mirror: {
    state: {
      users: new Map([['hp', { id: 7 }]]),
      holdings: () => ({
        nodes: new Map([
          definition('own', 7, 'local'),
          definition('of-the-deleted-namesake', 3, 'local'),
          definition('of-the-team', 3, 'team'),
        ] as never),
      }),
    },
  },
} as unknown as Registry;
const shownTo = (identity: string | undefined) =>
  mirroredTree(registry, { team: 'team1', identity }, {} as never)
    .current()
    ?.definitions.map(({ name }) => name);

it('the mounted tree hides a user’s private triggers from a later user of the same name', () => {
  expect(shownTo('hp')).toEqual(['own', 'of-the-team']);
  expect(shownTo('somebody')).toEqual(['of-the-team']);
  expect(shownTo(undefined)).toEqual(['of-the-team']);
});

it('the tree’s refresh waits until the mirror is as new as etcd’s answer, and fails as the mirror does', async () => {
  let answer: () => void = () => undefined;
  const execute = vi.fn(() => new Promise<void>((resolve) => (answer = resolve)));
  const tree = mirroredTree({ execute } as never, { team: 'team1', identity: 'hp' }, {} as never);
  let isOver = false;
  const refreshed = tree.refresh?.().finally(() => {
    isOver = true;
  });
  await new Promise(setImmediate);
  expect([execute.mock.calls, isOver]).toEqual([
    [[{ kind: 'local' }, { verb: 'directory.list', team: 'team1' }]],
    false,
  ]);
  answer();
  await refreshed;
  execute.mockRejectedValueOnce(new Error('etcd is away'));
  await expect(tree.refresh?.()).rejects.toThrow('etcd is away');
});
