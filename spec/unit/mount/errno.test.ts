import { expect, it } from 'vitest';
import { TriggerdError } from '../../../src/domain/errors.ts';
import { errnoOf } from '../../../src/mount/errno.ts';

it.each([
  ['too-many-changes', 'EAGAIN'],
  ['team-full', 'EDQUOT'],
  ['registry-full', 'EDQUOT'],
  ['etcd-nearly-full', 'ENOSPC'],
] as const)('a change of the tree that is refused with %s fails with %s', (code, errno) => {
  expect(errnoOf(new TriggerdError(code, 'refused'))).toBe(errno);
});
