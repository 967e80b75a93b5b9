import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryBudget } from '../../../src/mount/memory-budget.ts';
import type { FileHandle, TreeChange } from '../../../src/mount/ports.ts';
import { TriggerFiles } from '../../../src/mount/trigger-files.ts';
import { definition, directory } from '../../support/mounts.ts';

const path = '/demo/doc';
let asked: TreeChange[];
let files: TriggerFiles;

beforeEach(() => {
  asked = [];
  files = new TriggerFiles({
    gateway: {
      spool: async () => undefined,
      send: async () => Buffer.alloc(0),
      execute: async (change) => void asked.push(change),
      content: async () => Buffer.alloc(0),
    },
    owners: { of: () => ({ uid: 0, gid: 0 }) } as never,
    budget: new MemoryBudget(1_000_000),
    startedAt: 0,
    now: () => 0,
    isCloserKilled: async () => false,
    onDropped: () => undefined,
  });
  files.show({
    team: 't',
    directories: [directory(1, 'demo')],
    definitions: [definition(10, 1, 'doc', { framing: 'close' })],
  });
});

const write = async (handle: FileHandle): Promise<void> =>
  files.write(handle, { bytes: Buffer.from('x'), isFull: false, offset: 0 });
const begin = async (): Promise<FileHandle> => {
  const handle = files.open(path, { forReading: false, forWriting: true, isAppending: false, isTruncated: true });
  await write(handle);
  return handle;
};

describe('a mode that is set while the kernel has not yet told of the end of a copy', () => {
  it('a mode set during a copy is the copying program’s before its document is closed, and another program’s later', async () => {
    const handle = await begin();
    files.changeTimes(path);
    await files.changeMode(path, 0o600);
    expect(asked).toEqual([]);
    await files.flush(handle);
    await files.changeMode(path, 0o640);
    expect(asked).toMatchObject([{ verb: 'definition.set', mode: 0o640 }]);
    files.release(handle);
  });

  it('a mode set during a copy is the copying program’s again when that has written more through the same handle', async () => {
    const handle = await begin();
    await files.flush(handle);
    await write(handle);
    await files.changeMode(path, 0o600);
    expect(asked).toEqual([]);
  });
});
