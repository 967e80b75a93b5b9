import { expect, it } from 'vitest';
import { operationsOf } from '../../../src/adapters/fuse/operations.ts';
import type { FileSystem } from '../../../src/mount/ports.ts';
import { recordingLog } from '../../support/recording-log.ts';

it('a write is kept when fuse-native reuses its memory before the file system has answered', async () => {
  let finish = (): void => undefined;
  const written: Buffer[] = [];
  const files = {
    write: async (_handle: number, { bytes }: { bytes: Buffer }) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      written.push(bytes);
    },
  } as unknown as FileSystem;
  const kernels = Buffer.from(Uint8Array.from(Buffer.from('a line\n')).buffer);
  const answered = new Promise<number>((resolve) =>
    operationsOf(files, recordingLog()).write?.('/demo/lines', 1, kernels, kernels.length, 0, resolve),
  );
  await Promise.resolve();
  structuredClone(kernels.buffer, { transfer: [kernels.buffer] });
  finish();
  expect(await answered).toBe(7);
  expect(written.map(String)).toEqual(['a line\n']);
});
