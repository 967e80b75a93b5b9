import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { whyUntrusted } from '../../../src/adapters/files/trusted-way.ts';
import { temporaryFolder } from '../../support/journal.ts';

const nobody = 65_534;
const program = (path: string, mode = 0o755): string => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '#!/bin/sh\n');
  chmodSync(path, mode);
  return path;
};
const why = (path: string, searchPath = '') => whyUntrusted({ program: path, searchPath });

describe('a program that root runs', () => {
  it('root may run a program that only root can change, also through links of root and below a folder such as /tmp', async () => {
    const folder = temporaryFolder();
    const real = program(join(folder, 'real/puppet'));
    symlinkSync('real', join(folder, 'link'));
    symlinkSync('../real/puppet', join(folder, 'real/puppet.link'));
    for (const path of [real, join(folder, 'link/puppet'), join(folder, 'real/puppet.link')])
      expect(await why(path)).toBeNull();
    expect(await why('/usr/bin/env')).toBeNull();
  });

  it.each([
    ['owned by another user', (file: string) => chownSync(file, nobody, nobody), /puppet belongs to user 65534/],
    ['writable by its group', (file: string) => chmodSync(file, 0o775), /puppet can be written by its group/],
    ['writable by all', (file: string) => chmodSync(file, 0o757), /puppet can be written by its group/],
    ['in another user’s folder', (file: string) => chownSync(dirname(file), nobody, nobody), /bin belongs to user/],
    ['in a folder that all can write', (file: string) => chmodSync(dirname(file), 0o777), /bin can be written/],
    [
      'two folders below another user’s',
      (file: string) => chownSync(dirname(dirname(file)), nobody, nobody),
      /belongs to user/,
    ],
  ])('root may not run a program that is %s', async (_what, change, message) => {
    const file = program(join(temporaryFolder(), 'bin/puppet'));
    change(file);
    expect(await why(file)).toMatch(message);
    expect(await why('puppet', `/nowhere:${dirname(file)}`)).toMatch(message);
  });

  it('root may not run a program reached by a link in another user’s folder, or by a link that leads there', async () => {
    const folder = temporaryFolder();
    const good = program(join(folder, 'good/puppet'));
    const theirs = join(folder, 'theirs');
    mkdirSync(theirs);
    symlinkSync(good, join(theirs, 'puppet'));
    chownSync(theirs, nobody, nobody);
    symlinkSync(theirs, join(folder, 'link'));
    symlinkSync('../theirs/puppet', join(folder, 'good/other'));
    for (const path of ['theirs/puppet', 'link/puppet', 'good/other', 'good/../theirs/puppet'])
      expect(await why(join(folder, path)), path).toMatch(/theirs belongs to user 65534/);
  });

  it('root may not run a program behind a circle of links', async () => {
    const folder = temporaryFolder();
    symlinkSync('b', join(folder, 'a'));
    symlinkSync('a', join(folder, 'b'));
    expect(await why(join(folder, 'a'))).toMatch(/too many links/);
  });

  it('a program that does not exist belongs to nobody', async () => {
    expect(await why('/nowhere/puppet')).toBeNull();
    expect(await why('no-such-program', '/usr/bin:/bin')).toBeNull();
  });
});
