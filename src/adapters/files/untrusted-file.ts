/**
 * Reads files that somebody else may have written, or put something in the place of: Puppet's locks, summaries and
 * reports lie in folders that on Debian belong to the user `puppet`. Whatever lies there, a read ends: soon, with at most
 * so many bytes, beside the event loop. What is read is what was checked: one open file, never the path a second time.
 */

import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { Lines } from '../../kit/lines.ts';
import type { FileState, FileText } from '../../plugin/ports.ts';
import { isMissing } from '../system/is-missing.ts';
import { Hanging, withPatience } from './patience.ts';

interface UntrustedFileRules {
  /** Users whose word counts; null: anybody's. */
  readonly owners: readonly number[] | null;
  /** A larger file is refused, also one that grows while it is read. */
  readonly maxBytes: number;
}

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
const chunkBytes = 65_536;
/** The rest of a longer line is left out. */
export const maxLineLength = 65_536;

/** The whole file as text. Throws nothing. */
export const readUntrustedText = async (path: string, rules: UntrustedFileRules): Promise<FileText> => {
  const decoder = new StringDecoder('utf8');
  const parts: string[] = [];
  const state = await readChunks(path, rules, (chunk) => void parts.push(decoder.write(chunk)));
  return state.kind === 'read' ? { ...state, text: parts.join('') + decoder.end() } : state;
};

/** Gives the lines in order, without their ends. Throws nothing but what `onLine` throws. */
export const readUntrustedLines = async (
  path: string,
  rules: UntrustedFileRules,
  onLine: (line: string) => void,
): Promise<FileState> => {
  const decoder = new StringDecoder('utf8');
  const lines = new Lines(maxLineLength);
  const state = await readChunks(path, rules, (chunk) => {
    for (const line of lines.take(decoder.write(chunk))) onLine(line);
  });
  if (state.kind === 'read' && lines.begun !== '') onLine(lines.begun);
  return state;
};

const readChunks = async (
  path: string,
  rules: UntrustedFileRules,
  onChunk: (chunk: Buffer) => void,
): Promise<FileState> => {
  try {
    return await withPatience(async (isGivenUp) => {
      // A device may do something when it is opened, so we look first; the check that counts is of the open file.
      const why = refusal(await lstat(path), rules);
      if (why !== null) return { kind: 'refused', why };
      const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
      try {
        return await readOpen(file, rules, (chunk) => isGivenUp() || onChunk(chunk));
      } finally {
        await file.close();
      }
    });
  } catch (thrown) {
    return stateAfter(thrown);
  }
};

const readOpen = async (
  file: FileHandle,
  rules: UntrustedFileRules,
  onChunk: (chunk: Buffer) => void,
): Promise<FileState> => {
  const stats = await file.stat();
  const why = refusal(stats, rules);
  if (why !== null) return { kind: 'refused', why };
  for (let at = 0; ; ) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, at);
    if (bytesRead === 0) return { kind: 'read', uid: stats.uid };
    at += bytesRead;
    if (at > rules.maxBytes) return { kind: 'refused', why: tooLarge(rules) };
    onChunk(buffer.subarray(0, bytesRead));
  }
};

/** Why this is not what we want to read; null: it is. */
const refusal = (stats: Stats, rules: UntrustedFileRules): string | null => {
  if (stats.isSymbolicLink()) return 'it is a symbolic link';
  if (!stats.isFile()) return `it is ${kindOf(stats)}, not a regular file`;
  if (stats.size > rules.maxBytes) return tooLarge(rules);
  if (rules.owners === null) return null;
  if (!rules.owners.includes(stats.uid)) return `it belongs to user ${stats.uid}`;
  // Its other name may be a log that strangers have lines written to.
  return stats.nlink > 1 ? 'it has a second name (hard link)' : null;
};

const kindOf = (stats: Stats): string => {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a FIFO';
  return stats.isSocket() ? 'a socket' : 'a device';
};

const tooLarge = ({ maxBytes }: UntrustedFileRules): string => `it is larger than ${maxBytes / 1024} KiB`;

const stateAfter = (thrown: unknown): FileState => {
  if (thrown instanceof Hanging) return { kind: 'refused', why: thrown.message };
  if (isMissing(thrown)) return { kind: 'absent' };
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (typeof code !== 'string') throw thrown;
  if (code === 'EACCES' || code === 'EPERM') return { kind: 'forbidden' };
  // Swapped after the look.
  return { kind: 'refused', why: code === 'ELOOP' ? 'it is a symbolic link' : `it cannot be read (${code})` };
};

/** The file for reading; undefined when it does not exist. Throws what else the system says. */
export const openIfThere = async (path: string): Promise<FileHandle | undefined> => {
  try {
    return await open(path, 'r');
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
};
