import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { parseArgsStringToArgv } from 'string-argv';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPluginFiles } from '../../../src/adapters/files/plugin-files.ts';
import { resolveArguments } from '../../../src/plugin/arguments.ts';
import { readManifest } from '../../../src/plugin/manifest.ts';

const shipped = resolve(import.meta.dirname, '../../../plugins');

describe('the plugins folder', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'triggerd-plugins-'));
    for (const file of ['echo', 'plugin.toml']) cpSync(join(shipped, 'echo', file), join(root, 'echo', file));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const codeOf = (name: string): unknown => {
    try {
      createPluginFiles(root).find(name);
      return null;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  it('the plugins folder is listed by path, and plugins that are added while the daemon runs are found', () => {
    mkdirSync(join(root, 'file/stream'), { recursive: true });
    writeFileSync(join(root, 'file/stream/plugin.toml'), 'summary = "x"');
    expect(createPluginFiles(root).names()).toEqual(['echo', 'file/stream']);
    expect(codeOf('file/stream')).toBe('plugin-not-found');
    writeFileSync(join(root, 'file/stream/stream'), '#!/bin/sh\n', { mode: 0o755 });
    expect(codeOf('file/stream')).toBeNull();
  });

  it('the plugins folder refuses a plugin that others can write', () => {
    chmodSync(join(root, 'echo/echo'), 0o775);
    expect(codeOf('echo')).toBe('plugin-unsafe');
    chmodSync(join(root, 'echo/echo'), 0o755);
    chmodSync(join(root, 'echo'), 0o777);
    expect(codeOf('echo')).toBe('plugin-unsafe');
    chmodSync(join(root, 'echo'), 0o755);
    chmodSync(join(root, 'echo/plugin.toml'), 0o666);
    expect(codeOf('echo')).toBe('plugin-unsafe');
  });

  it.runIf(process.getuid?.() === 0)('the plugins folder refuses a plugin of another user', () => {
    chownSync(join(root, 'echo/echo'), 65534, 65534);
    expect(codeOf('echo')).toBe('plugin-unsafe');
  });

  it('the plugins folder refuses a link that leads out of it', () => {
    rmSync(join(root, 'echo/echo'));
    symlinkSync('/bin/sh', join(root, 'echo/echo'));
    expect(codeOf('echo')).toBe('plugin-unsafe');
  });

  it('the plugins folder refuses a manifest outside, a link into a folder that others can write, and files that are not executable', () => {
    const outside = mkdtempSync(join(tmpdir(), 'triggerd-outside-'));
    writeFileSync(join(outside, 'plugin.toml'), 'summary = "x"');
    rmSync(join(root, 'echo/plugin.toml'));
    symlinkSync(join(outside, 'plugin.toml'), join(root, 'echo/plugin.toml'));
    expect(codeOf('echo')).toBe('plugin-unsafe');
    rmSync(outside, { recursive: true });

    mkdirSync(join(root, 'open/real'), { recursive: true });
    writeFileSync(join(root, 'open/real/real'), '#!/bin/sh\n', { mode: 0o755 });
    chmodSync(join(root, 'open'), 0o777);
    mkdirSync(join(root, 'linked'));
    writeFileSync(join(root, 'linked/plugin.toml'), 'summary = "x"');
    symlinkSync('../open/real/real', join(root, 'linked/linked'));
    expect(codeOf('linked')).toBe('plugin-unsafe');
    chmodSync(join(root, 'open'), 0o755);
    expect(codeOf('linked')).toBeNull();
    chmodSync(join(root, 'open/real/real'), 0o644);
    expect(codeOf('linked')).toBe('plugin-unsafe');
  });

  it('the plugins folder refuses a plugin that is setuid or setgid', () => {
    for (const mode of [0o4755, 0o2755]) {
      chmodSync(join(root, 'echo/echo'), mode);
      expect(codeOf('echo')).toBe('plugin-unsafe');
    }
  });

  it.each([
    ['echo', 'plugin-not-found'],
    // Not as if there were none: without its rules the plugin would take more.
    ['plugin.toml', 'plugin-manifest'],
  ])('the plugins folder accepts no FIFO, folder or device as the %s', (name, code) => {
    const file = join(root, 'echo', name);
    for (const plant of [
      () => execFileSync('mkfifo', ['-m', '755', file]),
      () => mkdirSync(file),
      () => symlinkSync('/dev/null', file),
    ]) {
      rmSync(file, { recursive: true });
      plant();
      expect(codeOf('echo')).toBe(code);
    }
  });

  it.runIf(process.getuid?.() === 0)(
    'the plugins folder refuses a hard link to a file of another user, and one that another user may write',
    () => {
      const outside = join(root, 'somebodys');
      writeFileSync(outside, '#!/bin/sh\n', { mode: 0o755 });
      rmSync(join(root, 'echo/echo'));
      linkSync(outside, join(root, 'echo/echo'));
      expect(codeOf('echo')).toBeNull();
      chmodSync(outside, 0o757);
      expect(codeOf('echo')).toBe('plugin-unsafe');
      chmodSync(outside, 0o755);
      chownSync(outside, 65_534, 65_534);
      expect(codeOf('echo')).toBe('plugin-unsafe');
    },
  );

  it.runIf(process.getuid?.() === 0)('the plugins folder refuses a folder that another user could replace', () => {
    const plugins = join(root, 'below/plugins');
    mkdirSync(join(root, 'below'));
    cpSync(shipped, plugins, { recursive: true });
    const codeBelow = () => {
      try {
        createPluginFiles(plugins).find('echo');
        return null;
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(codeBelow()).toBeNull();
    chmodSync(join(root, 'below'), 0o777);
    expect(codeBelow()).toBe('plugin-unsafe');
    chmodSync(join(root, 'below'), 0o1777);
    expect(codeBelow()).toBeNull();
    chownSync(join(root, 'below'), 65_534, 65_534);
    expect(codeBelow()).toBe('plugin-unsafe');
  });

  it('the plugins folder knows no plugin that does not exist', () => {
    expect(codeOf('missing')).toBe('plugin-not-found');
    expect(createPluginFiles(join(root, 'missing')).names()).toEqual([]);
  });
});

const shippedNames = [
  'chain',
  'command',
  'echo',
  'echo/fast',
  'file/stream',
  'filter',
  'flipflop',
  'forward',
  'log',
  'monitor',
  'process/kill',
  'puppet',
  'service',
  'system/copy',
];

describe('the shipped plugins', () => {
  const files = createPluginFiles(shipped);

  it('the shipped plugins are all valid', () => {
    expect(files.names()).toEqual(shippedNames);
    for (const name of files.names()) expect(readManifest(files.find(name)).manifest.summary).not.toBe('');
  });

  it.each(shippedNames)('the README of %s has examples, with arguments that the manifest takes', (name) => {
    const plugin = readManifest(files.find(name));
    const readme = readFileSync(join(shipped, name, 'README.md'), 'utf8');
    const examples = readme.match(/^.*(?:triggerfs-client|trigger (?:fire|queue add)) .*$/gm) ?? [];
    expect(examples).not.toEqual([]);
    for (const example of examples) {
      const words = parseArgsStringToArgv(example.slice(example.search(/triggerfs-client|trigger (?:fire|queue add)/)));
      const given = words.flatMap((word, at) =>
        /^--?args?$/.test(words[at - 1] ?? '') ? [word.split(/=(.*)/s, 2)] : [],
      );
      expect(() => resolveArguments(plugin, Object.fromEntries(given)), example).not.toThrow();
    }
  });

  it('command runs words unchanged, a text through a shell, and the payload', async () => {
    const { executable } = files.find('command');
    expect((await execa(executable, ['printf', '%s', 'a b; $(id)'])).stdout).toBe('a b; $(id)');
    expect((await execa(executable, { env: { TRIGGER_ARG_COMMAND: 'echo a | tr a b' } })).stdout).toBe('b');
    expect((await execa(executable, { input: 'echo $((1 + 1))' })).stdout).toBe('2');
    expect((await execa(executable, { env: { TRIGGER_ARG_COMMAND: 'exit 7' }, reject: false })).exitCode).toBe(7);
  });

  it('echo prints its text, whatever it contains, then its payload', async () => {
    const { executable } = files.find('echo');
    const { stdout } = await execa(executable, { env: { TRIGGER_ARG_TEXT: '-n %s $(id) ü' }, input: 'payload' });
    expect(stdout).toBe('-n %s $(id) ü\npayload');
  });
});
