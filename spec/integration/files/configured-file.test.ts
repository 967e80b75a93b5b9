import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfiguredFile } from '../../../src/adapters/files/configured-file.ts';
import { temporaryFolder } from '../../support/journal.ts';

const read = (path: string) => readConfiguredFile('etcd.ca_file', path).content.toString();

describe('a file that the configuration names', () => {
  it('a file that the configuration names is read, also through a link', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'ca.pem'), 'PEM');
    symlinkSync('ca.pem', join(folder, 'link.pem'));
    expect([read(join(folder, 'ca.pem')), read(join(folder, 'link.pem'))]).toEqual(['PEM', 'PEM']);
    writeFileSync(join(folder, 'empty'), '');
    expect(read(join(folder, 'empty'))).toBe('');
  });

  it.each([
    ['a FIFO', (path: string) => void execFileSync('mkfifo', [path]), /ca_file: .* \(it is not a regular file\)/],
    ['a link to /dev/zero', (path: string) => symlinkSync('/dev/zero', path), /it is not a regular file/],
    ['a folder', (path: string) => void mkdirSync(path), /it is not a regular file/],
    ['a hole of 1 TB', (path: string) => hole(path), /it is larger than 1024 KiB/],
    ['nothing', () => undefined, /cannot be read \(ENOENT\)/],
  ])('a file that the configuration names is refused at once when it is %s', (_what, put, message) => {
    const path = join(temporaryFolder(), 'ca.pem');
    put(path);
    expect(() => read(path)).toThrow(message);
  });
});

const hole = (path: string): void => {
  writeFileSync(path, '');
  truncateSync(path, 2 ** 40);
};
