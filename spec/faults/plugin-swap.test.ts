import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPluginFiles } from '../../src/adapters/files/plugin-files.ts';
import { TriggerdError } from '../../src/domain/errors.ts';
import { temporaryFolder } from '../support/journal.ts';

const nobody = 65_534;
const ours = '#!/bin/sh\necho ours\n';
const theirs = '#!/bin/sh\necho theirs\n';

describe('G5: a plugin that is swapped after it was checked', () => {
  it('G5: a plugin runs as it was checked when a link to it changes meanwhile', () => {
    const root = temporaryFolder();
    for (const [name, text] of [['safe', ours] as const, ['other', theirs] as const]) plugin(join(root, name), text);
    renameSync(join(root, 'safe/safe'), join(root, 'safe/linked'));
    renameSync(join(root, 'other/other'), join(root, 'other/linked'));
    symlinkSync('safe', join(root, 'linked'));
    const { executable } = createPluginFiles(root).find('linked');
    unlinkSync(join(root, 'linked'));
    symlinkSync('other', join(root, 'linked'));
    expect(execFileSync(executable, { encoding: 'utf8' })).toBe('ours\n');
  });

  it('G5: a plugin that was found safe cannot be swapped by another user, whoever owns or may write its folders', () => {
    const way = ['a', 'a/b', 'a/b/plugins', 'a/b/plugins/p', 'a/b/plugins/p/p', 'a/b/plugins/p/plugin.toml'];
    const flaws = [undefined, { owner: nobody, mode: 0o755 }, { owner: 0, mode: 0o777 }, { owner: 0, mode: 0o1777 }];
    const found = way.flatMap((at) =>
      flaws.map((flaw) => {
        const base = temporaryFolder();
        chmodSync(base, 0o755);
        plugin(join(base, 'a/b/plugins/p'), ours);
        if (flaw !== undefined) {
          chownSync(join(base, at), flaw.owner, flaw.owner);
          chmodSync(join(base, at), flaw.mode);
        }
        const isSafe = accepted(join(base, 'a/b/plugins'));
        const paths = way.map((path) => join(base, path));
        return { at, flaw, isSafe, isSwapped: attack(paths, join(base, 'a/b/plugins/p/p')) };
      }),
    );
    expect(found.filter(({ isSafe, isSwapped }) => isSafe && isSwapped)).toEqual([]);
    expect(found.filter(({ flaw, isSafe }) => flaw === undefined && !isSafe)).toEqual([]);
    // The attack is one.
    expect(found.filter(({ isSwapped }) => isSwapped).length).toBeGreaterThan(8);
  });
});

const plugin = (folder: string, text: string): void => {
  mkdirSync(folder, { recursive: true });
  const executable = join(folder, folder.split('/').at(-1) ?? '');
  writeFileSync(executable, text);
  chmodSync(executable, 0o755);
  writeFileSync(join(folder, 'plugin.toml'), 'summary = "p"\n');
};

const accepted = (root: string): boolean => {
  try {
    createPluginFiles(root).find('p');
    return true;
  } catch (thrown) {
    if (thrown instanceof TriggerdError && thrown.code === 'plugin-unsafe') return false;
    throw thrown;
  }
};

/** Another user writes the program, or puts something of his own in the place of it or of what is above it. */
const attack = (way: readonly string[], executable: string): boolean => {
  const script = `exe=$1; shift; cat 2>/dev/null <<'EOF' >"$exe"
${theirs}EOF
    for path; do mv -T "$path" "$path.away" && mkdir -p "${dirname(executable)}" && echo theirs > "$exe"; done; exit 0`;
  const as = ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups'];
  execFileSync('setpriv', [...as, 'sh', '-c', script, 'sh', executable, ...way], { stdio: 'ignore' });
  return !existsSync(executable) || readFileSync(executable, 'utf8') !== ours;
};
