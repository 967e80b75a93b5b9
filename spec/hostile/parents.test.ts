import { chmodSync, chownSync, mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSpoolFolder } from '../../src/adapters/files/spool-folder.ts';
import { prepareControlSocket, prepareStateFolder } from '../../src/adapters/files/state-folder.ts';
import { temporaryFolder } from '../support/journal.ts';

const nobody = 65_534;

type Change = (above: string, folder: string) => unknown;
const attacks: readonly (readonly [string, Change, RegExp])[] = [
  ['that belongs to another user', (above) => chownSync(above, nobody, nobody), /above belongs to user 65534/],
  [
    'that its group can write',
    (above) => {
      chownSync(above, 0, nobody);
      chmodSync(above, 0o775);
    },
    /above can be written/,
  ],
  ['that all can write', (above) => chmodSync(above, 0o757), /above can be written by its group or by others/],
  [
    'that is a link in a folder that all can write',
    (above, folder) => {
      const theirs = join(folder, 'theirs');
      mkdirSync(theirs);
      chmodSync(theirs, 0o777);
      renameSync(above, join(folder, 'real'));
      symlinkSync('../real', join(theirs, 'link'));
      symlinkSync('theirs/link', above);
    },
    /theirs can be written/,
  ],
];

const places = [
  ['spool', (path: string) => openSpoolFolder(path), 'spool-unusable'],
  ['state folder', (path: string) => prepareStateFolder(path), 'state-unusable'],
  ['control socket', (path: string) => prepareControlSocket(join(path, 'triggerd.sock')), 'state-unusable'],
] as const;

/** Whoever can rename a folder above ours can put a folder of theirs in its place. */
describe.skipIf(process.getuid?.() !== 0).each(places)(
  'the %s below a folder that others can write',
  (_, open, code) => {
    it.each(attacks)('a folder %s is refused', async (_what, attack, message) => {
      const folder = temporaryFolder();
      const above = join(folder, 'above');
      const ours = join(above, 'between/ours');
      mkdirSync(join(above, 'between'), { recursive: true });
      await open(ours);
      attack(above, folder);
      await expect(open(ours)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    });

    it('a parent folder that only owners change (as /tmp), or that root’s own group can write, is accepted', async () => {
      const folder = temporaryFolder();
      mkdirSync(join(folder, 'above'));
      for (const mode of [0o1777, 0o775]) {
        chmodSync(join(folder, 'above'), mode);
        await open(join(folder, 'above/between/ours'));
      }
    });
  },
);
