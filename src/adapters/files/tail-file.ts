import { type FileHandle, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Job } from '../../domain/job.ts';
import { nextCall } from '../../kit/next-call.ts';
import { watchFolder } from '../../kit/watch-folder.ts';
import { openIfThere } from './untrusted-file.ts';

export interface TailOptions {
  /** Settles when nothing more will be written; what is there then is still delivered. */
  readonly ended: Promise<unknown>;
  readonly signal: AbortSignal;
  /** The first byte. */
  readonly from?: number;
}

/** How long a change may go unnoticed where the kernel's notification does not reach us (a folder that comes later). */
const fallbackMs = 250;
const blockBytes = 65_536;
const newline = 10;

/**
 * The file's bytes as they come. A file that is not there yet is waited for; one that is replaced (a new attempt of a
 * deferred job makes a new one) is read to its end, then the new one from its first byte.
 */
export async function* tailFile(path: string, { ended, signal, from = 0 }: TailOptions): AsyncGenerator<Buffer> {
  let file: FileHandle | undefined;
  let position = from;
  const over = new AbortController();
  const finish = (): void => over.abort();
  ended.then(finish, finish);
  const settled = AbortSignal.any([signal, over.signal]);
  try {
    while (!signal.aborted) {
      const last = over.signal.aborted; // read once more after the end: the last bytes may have come in between
      file ??= await openIfThere(path);
      if (file !== undefined) position = yield* readFrom(file, position);
      if (file !== undefined && (await isReplaced(file, path))) {
        // It was complete before it was replaced, and that may have been after our reading.
        yield* readFrom(file, position);
        await file.close();
        file = undefined;
        position = 0;
        continue;
      }
      if (last) return;
      await folderChange(dirname(path), settled);
    }
  } finally {
    await file?.close();
  }
}

/** An inode that is open is not given to another file. */
const isReplaced = async (file: FileHandle, path: string): Promise<boolean> => {
  const [opened, named] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
  return named !== undefined && (named.ino !== opened.ino || named.dev !== opened.dev);
};

/** Where so many of the last lines begin that are there now; 0 when there is no file. */
export const placeOfLastLines = (path: string, lines: number): Promise<number> =>
  withFile(path, 0, (file) => startOfLastLines(file, lines));

/** The file's present length; 0 when there is no file. */
export const lengthOf = (path: string): Promise<number> => withFile(path, 0, async (file) => (await file.stat()).size);

/** The last `bytes` bytes, beginning at a whole character; null when there is no file. */
export const readTail = (path: string, bytes: number): Promise<Buffer | null> =>
  withFile<Buffer | null>(path, null, async (file) => {
    const { size } = await file.stat();
    const from = Math.max(0, size - bytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(bytes, size)), 0, Math.min(bytes, size), from);
    return wholeCharacters(buffer.subarray(0, bytesRead), from > 0);
  });

const withFile = async <T>(path: string, otherwise: T, work: (file: FileHandle) => Promise<T>): Promise<T> => {
  const file = await openIfThere(path);
  if (file === undefined) return otherwise;
  try {
    return await work(file);
  } finally {
    await file.close();
  }
};

/** Drops the rest of a UTF-8 character that the cut went through. */
const wholeCharacters = (buffer: Buffer, isCut: boolean): Buffer => {
  if (!isCut) return buffer;
  let start = 0;
  while (start < Math.min(3, buffer.length) && ((buffer[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return buffer.subarray(start);
};

/** Yields what is there from `position` on; returns where it stopped. */
async function* readFrom(file: FileHandle, position: number): AsyncGenerator<Buffer, number> {
  for (let at = position; ; ) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(blockBytes), 0, blockBytes, at);
    if (bytesRead === 0) return at;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Where the last `lines` lines begin, read from the end backwards. A newline at the very end ends a line and begins none. */
const startOfLastLines = async (file: FileHandle, lines: number): Promise<number> => {
  const { size } = await file.stat();
  if (lines === 0) return size;
  let wanted = lines;
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - blockBytes);
    const { buffer } = await file.read(Buffer.alloc(end - from), 0, end - from, from);
    for (let at = buffer.length - 1; at >= 0; at -= 1) {
      if (buffer[at] !== newline || from + at === size - 1) continue;
      wanted -= 1;
      if (wanted <= 0) return from + at + 1;
    }
    end = from;
  }
  return 0;
};

/** Resolves at the next sign of life: a change in the folder, the abort, or the fallback. */
const folderChange = (folder: string, signal: AbortSignal): Promise<void> =>
  nextCall((call) => watchFolder(folder, call, { everyMs: fallbackMs }), signal);

/** Where the output of a job lies in its folder. */
export const outputFile = (folder: string, stream: 'out' | 'err' = 'out'): string =>
  stream === 'err' ? `${folder}/output.err` : `${folder}/output`;

/** What an outcome carries of a job's output. */
const tailBytes = 4096;

/** The end of an ended job's output; null when it printed nothing. */
export const readOutputTail = async (job: Job): Promise<Buffer | null> => {
  const tail = await readTail(outputFile(job.folder), tailBytes);
  return tail === null || tail.length === 0 ? null : tail;
};
