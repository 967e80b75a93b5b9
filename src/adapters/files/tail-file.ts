import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface TailOptions {
  /** Settles when nothing more will be written; what is there then is still delivered. */
  readonly ended: Promise<unknown>;
  readonly signal: AbortSignal;
}

/** How long a change may go unnoticed where the kernel's notification does not reach us (a folder that comes later). */
const fallbackMs = 250;

/** The file's bytes from the first one on, as they come. A file that is not there yet is waited for. */
export async function* tailFile(path: string, { ended, signal }: TailOptions): AsyncGenerator<Buffer> {
  let file: FileHandle | undefined;
  let over = false;
  void ended.then(
    () => {
      over = true;
    },
    () => {
      over = true;
    },
  );
  try {
    while (!signal.aborted) {
      const last = over; // read once more after the end: the last bytes may have come in between
      file ??= await openIfThere(path);
      if (file !== undefined) yield* readRest(file);
      if (last) return;
      await changeOf(path, ended, signal);
    }
  } finally {
    await file?.close();
  }
}

/** The file's bytes as they are now; none when there is no file. */
export async function* readWhole(path: string): AsyncGenerator<Buffer> {
  const file = await openIfThere(path);
  if (file === undefined) return;
  try {
    yield* readRest(file);
  } finally {
    await file.close();
  }
}

/** The last `bytes` bytes as text, beginning at a whole character; null when there is no file. */
export const readTail = async (path: string, bytes: number): Promise<string | null> => {
  const file = await openIfThere(path);
  if (file === undefined) return null;
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - bytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(bytes, size)), 0, Math.min(bytes, size), from);
    return wholeCharacters(buffer.subarray(0, bytesRead), from > 0).toString('utf8');
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

async function* readRest(file: FileHandle): AsyncGenerator<Buffer> {
  for (;;) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(65_536), 0, 65_536, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

const openIfThere = async (path: string): Promise<FileHandle | undefined> => {
  try {
    return await open(path, 'r');
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
    throw thrown;
  }
};

/** Resolves at the next sign of life: a change in the file's folder, the end, the caller's abort, or the fallback. */
const changeOf = async (path: string, ended: Promise<unknown>, signal: AbortSignal): Promise<void> => {
  const settled = new AbortController();
  try {
    await Promise.race([
      ended.catch(() => undefined),
      folderChange(dirname(path), AbortSignal.any([signal, settled.signal])),
    ]);
  } finally {
    settled.abort();
  }
};

const folderChange = (folder: string, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const watcher = watchIfThere(folder, resolve);
    const timer = setTimeout(resolve, fallbackMs);
    const stop = () => {
      clearTimeout(timer);
      watcher?.close();
      resolve();
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });

const watchIfThere = (folder: string, onChange: () => void): FSWatcher | undefined => {
  try {
    return watch(folder, () => onChange()).on('error', () => onChange());
  } catch {
    return undefined; // the folder is not there yet: the fallback looks again
  }
};
