import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../support/node.ts';

/** What goes to the Forge: the tarball of the module, and its reference. */
describe('the published module', () => {
  let dir: string;
  const build = async (folder: string): Promise<string> => {
    const { stdout } = await execa(join(root, 'scripts/package-module'), [join(dir, folder)], {
      env: { TZ: folder === 'second' ? 'Asia/Tokyo' : 'UTC' }, // the day and the place of the build are not in it
    });
    return stdout;
  };

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'triggerd-module-'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('the published module has a reference that says what the sources say (npm run docs)', async () => {
    const file = join(dir, 'REFERENCE.md');
    await execa(join(root, 'scripts/reference'), [file]);
    expect(readFileSync(file, 'utf8')).toBe(readFileSync(join(root, 'puppet-module/REFERENCE.md'), 'utf8'));
  });

  it('the published module is built the same twice, installs, and Puppet finds every file by its checksum', async () => {
    const tarball = await build('first');
    expect(readFileSync(await build('second')).equals(readFileSync(tarball))).toBe(true);
    const { version } = JSON.parse(readFileSync(join(root, 'puppet-module/metadata.json'), 'utf8'));
    expect(basename(tarball)).toBe(`triggerd-trigger-${version}.tar.gz`);

    const modules = join(dir, 'modules');
    const puppet = (...args: string[]) =>
      execa('puppet', [...args, '--confdir', join(dir, 'conf'), '--vardir', join(dir, 'var'), '--color', 'false'], {
        all: true,
        reject: false,
      });
    const options = ['--ignore-dependencies', '--target-dir', modules];
    const installed = await puppet('module', 'install', tarball, ...options);
    expect(installed.exitCode, installed.all).toBe(0);
    const changes = await puppet('module', 'changes', join(modules, 'trigger'));
    expect(changes.all).toMatch(/No modified files/);

    // Not only there: the classes, the functions, the data in Hiera and the templates are found.
    mkdirSync(join(dir, 'conf'), { recursive: true });
    const manifest = join(dir, 'site.pp');
    const written = ['config_file', 'client_file'].map((name) => `${name} => '${dir}/${name}'`).join(', ');
    writeFileSync(manifest, `class { 'trigger': ${written}, manage_config_dir => false, manage_service => false }`);
    const applied = await puppet('apply', '--detailed-exitcodes', '--modulepath', modules, manifest);
    expect(applied.exitCode, applied.all).toBe(2);
    expect(readFileSync(join(dir, 'config_file'), 'utf8')).toMatch(/^\[watch\]\nenabled = false$/m);
  });

  it('the published module has neither specs nor other files of the checkout', async () => {
    const { stdout } = await execa('tar', ['-tzf', await build('listed')]);
    const files = stdout.split('\n').map((each) => each.replace(/^triggerd-trigger-[^/]+\//, ''));
    expect(files).toEqual(
      expect.arrayContaining(['metadata.json', 'checksums.json', 'REFERENCE.md', 'README.md', 'LICENSE']),
    );
    expect(files.filter((file) => /^(spec|Gemfile|Rakefile|\.)/.test(file))).toEqual([]);
  });
});
