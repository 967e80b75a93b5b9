import { closeSync, openSync, writeSync } from 'node:fs';
import { createGzipFile } from './gzip-file.ts';
import { jobFile, type OutputName } from './job-files.ts';

/** `o` and `e` are the job's stdout and stderr, `t` is a line of triggerd's own. */
export type StreamTag = 'o' | 'e' | 't';

export interface OutputFile {
  write(stream: 'o' | 'e', chunk: Buffer): void;
  /** Appends the marker and the tail if bytes were left out; returns how many bytes the job wrote. */
  close(): number;
}

const tailBytes = 64 * 1024;
/** Bytes of one stream within this time share one line of the index. */
const indexStepMs = 50;

interface Piece {
  readonly stream: 'o' | 'e';
  readonly atMs: number;
  readonly bytes: Buffer;
}

/**
 * `output` and `output.idx` of a job. The first `maxBytes` are kept as they come; of what follows, the last 64 KiB are
 * held in memory and appended at the end, after a line that says how much is missing. An index line is
 * `<ms since the start> <o|e|t> <length>`; the index is made with the first byte.
 *
 * A full disk must not fail the job: what cannot be written counts as left out. With `gzip` the file is compressed, which
 * the limit does not see, and has no index.
 */
export const createOutputFile = (
  folder: string,
  maxBytes: number,
  name: OutputName = 'output',
  gzip = false,
): OutputFile => {
  const startedMs = performance.now();
  const elapsedMs = (): number => Math.round(performance.now() - startedMs);
  const file = gzip ? createGzipFile(jobFile(folder, name)) : createIndexedFile(folder, name);
  let endsInNewline = true;
  const tail = createTail();
  let total = 0;
  let kept = 0;

  const appendTail = (pieces: readonly Piece[]): void => {
    const held = pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const leftOut = total - kept - held;
    const marker = `${endsInNewline ? '' : '\n'}[triggerd: ${leftOut} bytes left out]\n`;
    if (leftOut > 0) file.append({ stream: 't', atMs: elapsedMs(), bytes: Buffer.from(marker) });
    for (const piece of pieces) file.append(piece);
  };

  return {
    write: (stream, chunk) => {
      const atMs = elapsedMs();
      total += chunk.length;
      const head = chunk.subarray(0, Math.max(0, maxBytes - kept));
      if (head.length > 0 && file.append({ stream, atMs, bytes: head })) {
        kept += head.length;
        endsInNewline = head.at(-1) === 0x0a;
      } else if (head.length > 0) kept = maxBytes;
      if (head.length < chunk.length) tail.hold({ stream, atMs, bytes: chunk.subarray(head.length) });
    },
    close: () => {
      appendTail(tail.pieces());
      file.close();
      return total;
    },
  };
};

type Appended = Omit<Piece, 'stream'> & { readonly stream: StreamTag };

/** `output` with its index. */
const createIndexedFile = (folder: string, name: OutputName) => {
  const fd = openSync(jobFile(folder, name), 'a', 0o600);
  const index = createIndex(jobFile(folder, `${name}.idx`));
  return {
    append: ({ stream, atMs, bytes }: Appended): boolean => {
      if (!wrote(fd, bytes)) return false;
      index.add(stream, atMs, bytes.length);
      return true;
    },
    close: (): void => {
      index.close();
      closeSync(fd);
    },
  };
};

/** Holds the last 64 KiB of what it is given. */
const createTail = () => {
  let held: Piece[] = [];
  let length = 0;
  return {
    hold: (piece: Piece): void => {
      // A copy: a slice would keep the whole chunk alive.
      held.push({ ...piece, bytes: Buffer.from(piece.bytes.subarray(-tailBytes)) });
      length += Math.min(piece.bytes.length, tailBytes);
      // Only now and then: a million one-byte pieces must not each move all the others.
      if (length <= 2 * tailBytes) return;
      held = lastBytes(held, tailBytes);
      length = tailBytes;
    },
    pieces: (): readonly Piece[] => lastBytes(held, tailBytes),
  };
};

/** The pieces that hold the last `limit` bytes; the first one cut to fit. */
const lastBytes = (pieces: readonly Piece[], limit: number): Piece[] => {
  let first = pieces.length;
  let length = 0;
  while (first > 0 && length < limit) {
    first -= 1;
    length += pieces[first]?.bytes.length ?? 0;
  }
  const [cut, ...rest] = pieces.slice(first);
  return cut === undefined ? [] : [{ ...cut, bytes: cut.bytes.subarray(Math.max(0, length - limit)) }, ...rest];
};

/**
 * After an index line the next one is held back for a step, so that byte-wise output does not make an index larger than
 * itself. The first bytes after a pause are indexed at once: somebody may be reading along.
 */
const createIndex = (file: string) => {
  let fd: number | undefined;
  let pending: { stream: StreamTag; atMs: number; length: number } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let flushedAtMs = Number.NEGATIVE_INFINITY;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (pending === undefined) return;
    flushedAtMs = performance.now();
    fd ??= opened(file);
    if (fd !== undefined) wrote(fd, Buffer.from(`${pending.atMs} ${pending.stream} ${pending.length}\n`));
    pending = undefined;
  };
  return {
    add: (stream: StreamTag, atMs: number, length: number): void => {
      if (pending !== undefined && (pending.stream !== stream || atMs - pending.atMs > indexStepMs)) flush();
      pending = { stream, atMs: pending?.atMs ?? atMs, length: (pending?.length ?? 0) + length };
      if (performance.now() - flushedAtMs > indexStepMs) flush();
      else timer ??= setTimeout(flush, indexStepMs);
    },
    close: (): void => {
      flush();
      if (fd !== undefined) closeSync(fd);
    },
  };
};

const opened = (file: string): number | undefined => {
  try {
    return openSync(file, 'a', 0o600);
  } catch {
    return undefined;
  }
};

const wrote = (fd: number, bytes: Buffer): boolean => {
  try {
    for (let offset = 0; offset < bytes.length; ) offset += writeSync(fd, bytes, offset);
    return true;
  } catch {
    return false;
  }
};
