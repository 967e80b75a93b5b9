import { expect, it } from 'vitest';
import { isRequestId } from '../../../../src/bus/codec/check.ts';
import { newRequestId } from '../../../../src/client/new-id.ts';

it('a new ID is a ULID, different each time, and uses every character', () => {
  const ids = Array.from({ length: 2_000 }, newRequestId);
  expect(ids.filter((id) => !isRequestId(id))).toEqual([]);
  expect(new Set(ids.map((id) => id.slice(10))).size).toBe(ids.length);
  expect(new Set(ids.flatMap((id) => [...id.slice(10)])).size).toBe(32);
});
