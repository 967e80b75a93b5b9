import { readFileSync, statSync } from 'node:fs';
import type { FileAccess } from '../../config/exposure.ts';

/** Owner and mode of a file; undefined where there is none, or where we may not look. */
export const fileAccess = (path: string): FileAccess | undefined => {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  const { mode, uid, gid } = found;
  return { mode: mode & 0o7777, uid, owner: nameIn('/etc/passwd', uid), group: nameIn('/etc/group', gid) };
};

/** The name that a number has in `/etc/passwd` or `/etc/group`; the number where none has it. */
export const nameIn = (table: '/etc/passwd' | '/etc/group', id: number): string => {
  const lines = textOf(table).split('\n');
  return lines.find((line) => line.split(':')[2] === String(id))?.split(':')[0] ?? String(id);
};

const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};
