/** Plugins without `plugin.toml`: a file directly in the plugins folder, and a folder with its executable alone. */
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPluginFiles } from '../../src/adapters/files/plugin-files.ts';
import { resolveArguments } from '../../src/plugin/arguments.ts';
import { type Plugin, readManifest } from '../../src/plugin/manifest.ts';
import { temporaryFolder } from '../support/journal.ts';

const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

/** A plugins folder with a file, a folder without `plugin.toml`, and one with strict rules. */
const pluginsFolder = (): string => {
  const root = temporaryFolder();
  chmodSync(root, 0o755);
  program(join(root, 'myplugin'));
  mkdirSync(join(root, 'bare'));
  program(join(root, 'bare/bare'));
  mkdirSync(join(root, 'strict'));
  program(join(root, 'strict/strict'));
  writeFileSync(join(root, 'strict/plugin.toml'), 'summary = "x"\n[args.root]\nsummary = "r"\nfixed = "/srv"\n');
  writeFileSync(join(root, 'main.go'), 'package main\n');
  return root;
};

const program = (path: string): void => writeFileSync(path, '#!/bin/sh\necho ran\n', { mode: 0o755 });
const find = (root: string, name: string): Plugin => readManifest(createPluginFiles(root).find(name));
const codeOf = (act: () => unknown): unknown => {
  try {
    act();
  } catch (thrown) {
    return (thrown as { code?: unknown }).code;
  }
  return 'nothing was thrown';
};

describe('a plugin without plugin.toml', () => {
  it('a plugin without plugin.toml is found and listed, as a file and as a folder; a source file beside it is no plugin', () => {
    const root = pluginsFolder();
    expect(createPluginFiles(root).names()).toEqual(['bare', 'myplugin', 'strict']);
    for (const [name, path] of [['myplugin', 'myplugin'] as const, ['bare', 'bare/bare'] as const]) {
      const { executable, manifest } = find(root, name);
      expect([executable, manifest.mode, manifest.noop]).toEqual([join(root, path), 'exec', false]);
    }
    expect(codeOf(() => find(root, 'main.go'))).toBe('plugin-unsafe');
    expect(codeOf(() => find(root, 'missing'))).toBe('plugin-not-found');
    // A file stands where a folder of plugins would be.
    expect(codeOf(() => find(root, 'myplugin/other'))).toBe('plugin-not-found');
  });

  it.runIf(isRoot)(
    'a plugin without plugin.toml is refused where others own it, may write it, or may replace it',
    () => {
      const flaws: [string, (root: string) => void][] = [
        ['its owner', (root) => chownSync(join(root, 'myplugin'), nobody, nobody)],
        ['its mode', (root) => chmodSync(join(root, 'myplugin'), 0o775)],
        ['setuid', (root) => chmodSync(join(root, 'myplugin'), 0o4755)],
        ['the owner of the plugins folder', (root) => chownSync(root, nobody, nobody)],
        ['the mode of the plugins folder', (root) => chmodSync(root, 0o777)],
      ];
      for (const [flaw, make] of flaws) {
        const root = pluginsFolder();
        make(root);
        expect([flaw, codeOf(() => find(root, 'myplugin'))]).toEqual([flaw, 'plugin-unsafe']);
      }
      const root = pluginsFolder();
      chmodSync(join(root, 'bare'), 0o777);
      expect(codeOf(() => find(root, 'bare'))).toBe('plugin-unsafe');
    },
  );

  it('a plugin without plugin.toml is refused where a link leads out of the plugins folder', () => {
    const root = pluginsFolder();
    symlinkSync('/bin/sh', join(root, 'shell'));
    expect(codeOf(() => find(root, 'shell'))).toBe('plugin-unsafe');
  });

  it('a plugin without plugin.toml evades no plugin.toml, neither by a link to the program nor by a broken plugin.toml', () => {
    const root = pluginsFolder();
    symlinkSync('strict/strict', join(root, 'alias'));
    mkdirSync(join(root, 'copy'));
    symlinkSync('../strict/strict', join(root, 'copy/copy'));
    for (const name of ['strict', 'alias', 'copy'])
      expect(codeOf(() => resolveArguments(find(root, name), { root: '/etc' }))).toBe('plugin-arguments');

    rmSync(join(root, 'strict/plugin.toml'));
    symlinkSync('nowhere', join(root, 'strict/plugin.toml'));
    for (const name of ['strict', 'alias']) expect(codeOf(() => find(root, name))).toBe('plugin-manifest');
    rmSync(join(root, 'strict/plugin.toml'));
    mkdirSync(join(root, 'strict/plugin.toml'));
    expect(codeOf(() => find(root, 'strict'))).toBe('plugin-manifest');
  });

  it('a plugin without plugin.toml takes any argument that can be an environment variable of its own', () => {
    const plugin = find(pluginsFolder(), 'myplugin');
    const args = { filepath: '/tmp/my file.txt', apiKey: 'a=b\n$(id)', 'dry-run': '' };
    expect(resolveArguments(plugin, args)).toEqual(args);
    const bad = ['', 'a=b', 'a b', 'a\nb', '1st', '../x', 'ü', 'x'.repeat(65), '__proto__'];
    for (const name of bad)
      expect([name, codeOf(() => resolveArguments(plugin, Object.fromEntries([[name, 'x']])))]).toEqual([
        name,
        'plugin-arguments',
      ]);
    expect(() => resolveArguments(plugin, { 'dry-run': '1', dry_run: '2' })).toThrow(/TRIGGER_ARG_DRY_RUN/);
    expect(() => resolveArguments(plugin, { text: 'a\0b' })).toThrow(/NUL/);
  });

  it('a plugin.toml with any_args keeps its other rules', () => {
    const text = 'summary = "x"\nany_args = true\n[args.root]\nsummary = "r"\nfixed = "/srv"\n';
    const plugin = readManifest({ ...createPluginFiles(pluginsFolder()).find('strict'), manifestText: text });
    expect(resolveArguments(plugin, { other: 'x' })).toEqual({ other: 'x', root: '/srv' });
    for (const args of [{ root: '/etc' }, { Root: '/etc' }, { ROOT: '/etc' }])
      expect(codeOf(() => resolveArguments(plugin, args as Record<string, string>))).toBe('plugin-arguments');
  });
});
