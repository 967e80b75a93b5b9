import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLogCopy, openLogCopyLater } from '../../../src/cli/request/log-copy.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'triggerd-log-copy-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the log file of triggerfs', () => {
  it('a log file of triggerfs in a missing folder is reported, and begins once the folder exists', () => {
    const file = join(folder, 'missing', 'log');
    const { copy, problem } = openLogCopyLater(file, '[triggerfs] logfile');
    expect(problem).toBe(`[triggerfs] logfile: ${file} cannot be written (ENOENT)`);
    copy.write('lost');
    expect(copy.reopen()).toBe(problem);
    mkdirSync(join(folder, 'missing'));
    expect(copy.reopen()).toBeUndefined();
    copy.write('kept');
    expect(readFileSync(file, 'utf8')).toBe('kept');
  });

  it('a log file of triggerfs continues in the old file when the new one cannot be opened', () => {
    const place = join(folder, 'logs');
    mkdirSync(place);
    const { copy } = openLogCopyLater(join(place, 'log'), '[triggerfs] logfile');
    renameSync(place, join(folder, 'moved'));
    expect(copy.reopen()).toContain('cannot be written (ENOENT)');
    copy.write('kept');
    expect(readFileSync(join(folder, 'moved', 'log'), 'utf8')).toBe('kept');
  });

  it('a log file of triggerfs-client in a missing folder is refused before the request is sent', () => {
    expect(() => openLogCopy(join(folder, 'missing', 'log'))).toThrow('[triggerfs-client] logfile');
  });
});
