import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Gateway } from '../../src/mount/ports.ts';
import { mountTree, type TestMount } from '../support/mounts.ts';
import { root } from '../support/node.ts';

const refusing: Gateway = {
  spool: () => Promise.reject(new Error('nothing is written')),
  send: () => Promise.reject(new Error('nothing is sent')),
  execute: () => Promise.reject(new Error('nothing changes')),
  content: () => Promise.reject(new Error('nothing is read')),
};

/** The real script, in folders of the test's own. It runs as root when the package is purged. */
describe('the purge of the package', () => {
  let folder: string;
  const at = (...names: string[]): string => join(folder, ...names);
  const make = (...names: string[]): string => {
    mkdirSync(at(...names, '..'), { recursive: true });
    writeFileSync(at(...names), 'content');
    return at(...names);
  };
  const purge = () => {
    const script = readFileSync(join(root, 'packaging/debian/triggerd.postrm'), 'utf8')
      .replaceAll('/var/lib/', at('lib/'))
      .replaceAll('/var/log/', at('log/'))
      .replaceAll('/run/triggerd', at('run/triggerd'))
      .replaceAll('/etc/triggerd', at('etc/triggerd'))
      .replaceAll('getent group triggerd', 'false');
    return execa('sh', ['-c', script, 'triggerd.postrm', 'purge'], { reject: false });
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'triggerd-purge-'));
    make('precious', 'file');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('a purge removes what every program of the package keeps, and nothing beside it', async () => {
    for (const name of [
      'triggerd/journal',
      'triggerfs/triggerd/triggerfs/x',
      'triggerfs-worker/triggerd/team1.a/jobs/1',
    ])
      make('lib', name);
    make('lib', 'triggerd-of-mine', 'file');
    make('run', 'triggerd', 'x');
    make('log', 'triggerd-plugin-test.log');
    make('log', 'triggerd.log.of-mine');
    mkdirSync(at('etc/triggerd'), { recursive: true });
    expect(await purge()).toMatchObject({ exitCode: 0, stderr: '' });
    expect(['lib', 'run', 'etc', 'log'].map((name) => readdirSync(at(name)))).toEqual([
      ['triggerd-of-mine'],
      [],
      [],
      ['triggerd.log.of-mine'],
    ]);
    expect(await purge()).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('a purge follows no link, neither for a folder nor inside one', async () => {
    mkdirSync(at('lib/triggerfs'), { recursive: true });
    symlinkSync(at('precious'), at('lib/triggerfs/link'));
    symlinkSync(at('precious'), at('lib/triggerfs-worker'));
    const { exitCode, stderr } = await purge();
    expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/lib\/triggerfs-worker is a symbolic link/)]);
    expect(readdirSync(at('lib'))).toEqual(['triggerfs-worker']);
    expect(existsSync(at('precious/file'))).toBe(true);
  });

  it('a purge removes nothing that is mounted on the folder or inside it', async () => {
    for (const name of ['lib/triggerd', 'lib/triggerfs-worker/triggerd/mnt']) {
      mkdirSync(at(name), { recursive: true });
      await execa('mount', ['--bind', at('precious'), at(name)]);
    }
    try {
      const { exitCode, stderr } = await purge();
      expect([exitCode, stderr.split('\n')]).toEqual([
        0,
        [
          expect.stringMatching(/lib\/triggerd is not removed, because it contains mounts/),
          expect.stringMatching(/lib\/triggerfs-worker is not removed, because .* mounts: .*\/triggerd\/mnt/),
        ],
      ]);
    } finally {
      await execa('umount', [at('lib/triggerd'), at('lib/triggerfs-worker/triggerd/mnt')]);
    }
    expect(existsSync(at('precious/file'))).toBe(true);
  });

  it('a purge unmounts trigger files that are still mounted, and writes into none of them', async () => {
    const mountpoint = at('lib/triggerfs/mnt');
    mkdirSync(mountpoint, { recursive: true });
    let mount: TestMount | undefined;
    try {
      mount = await mountTree(refusing, mountpoint);
      expect(await purge()).toMatchObject({ exitCode: 0, stderr: '' });
      expect(existsSync(at('lib/triggerfs'))).toBe(false);
    } finally {
      await mount?.process.end();
    }
  });
});
