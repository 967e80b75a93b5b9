import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runPlugin, startPlugin } from '../../support/shipped-plugins.ts';
import { until } from '../../support/wait.ts';

let dir: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'triggerd-plugin-')));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('file/stream', () => {
  const stream = (args: Record<string, string>) => runPlugin('file/stream', { args });

  it('file/stream prints a file unchanged, through a link as well, and exits with 0', async () => {
    writeFileSync(join(dir, 'a'), 'eins\nzwei ü\n\nkein Ende');
    symlinkSync('a', join(dir, 'link'));
    for (const path of [join(dir, 'a'), join(dir, 'link')])
      expect(await stream({ path })).toMatchObject({ stdout: 'eins\nzwei ü\n\nkein Ende', stderr: '', exitCode: 0 });
  });

  it.each([
    ['missing', 'there is no file'],
    ['.', 'is a folder or a device'],
    ['fifo', 'is a folder or a device'],
  ])('file/stream %s fails, and says why', async (name, reason) => {
    execFileSync('mkfifo', [join(dir, 'fifo')]);
    const { stdout, stderr, exitCode } = await stream({ path: `${dir}/${name}` });
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 });
    expect(stderr).toContain(`file/stream: `);
    expect(stderr).toContain(reason);
    expect(stderr).toContain(`${dir}/${name}`);
  });

  it('file/stream needs an absolute path', async () => {
    await expect(stream({})).rejects.toThrow(/needs the argument “path”/);
    await expect(stream({ path: 'etc/passwd' })).rejects.toThrow(/“path” must match/);
  });

  it('file/stream reads nothing outside root, whatever links say', async () => {
    mkdirSync(join(dir, 'open'));
    writeFileSync(join(dir, 'secret'), 'secret');
    writeFileSync(join(dir, 'open/a'), 'fine');
    symlinkSync('../secret', join(dir, 'open/link'));
    mkdirSync(join(dir, 'opener'));
    writeFileSync(join(dir, 'opener/b'), 'no');
    const root = join(dir, 'open');
    expect((await stream({ path: `${dir}/open/a`, root })).stdout).toBe('fine');
    for (const path of [`${dir}/open/link`, `${dir}/open/../secret`, `${dir}/opener/b`, `${dir}/secret`]) {
      const { stdout, stderr, exitCode } = await stream({ path, root });
      expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 });
      expect(stderr).toContain(`is not below ${root}`);
    }
  });

  it('file/stream follows a file until it is ended', async () => {
    const path = join(dir, 'log');
    writeFileSync(path, 'one\n');
    const running = startPlugin('file/stream', { args: { path, follow: 'true' } });
    let seen = '';
    running.stdout.on('data', (part) => {
      seen += part;
    });
    await until(() => seen === 'one\n', 'the file so far');
    appendFileSync(path, 'two\n');
    await until(() => seen === 'one\ntwo\n', 'what was appended');
    running.kill();
    expect((await running).signal).toBe('SIGTERM');
  });
});

describe('system/copy', () => {
  const copy = (args: Record<string, string>, payload?: string | Uint8Array) =>
    runPlugin('system/copy', payload === undefined ? { args } : { args, payload });
  const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8);

  it('system/copy writes the payload byte by byte, with parent folders', async () => {
    const bytes = Uint8Array.from({ length: 200_000 }, (_, at) => (at * 7) % 256);
    const path = join(dir, 'a/b/file');
    const { stdout, stderr, exitCode } = await copy({ path }, bytes);
    expect({ stdout, stderr, exitCode }).toEqual({
      stdout: `Wrote 200000 bytes to ${path}\n`,
      stderr: '',
      exitCode: 0,
    });
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect([modeOf(path), modeOf(join(dir, 'a'))]).toEqual(['644', '755']);
    expect(readdirSync(join(dir, 'a/b'))).toEqual(['file']);
  });

  it('system/copy takes the argument text instead of the payload, and an empty payload', async () => {
    await copy({ path: join(dir, 'text'), text: 'no newline' }, 'not this');
    expect(readFileSync(join(dir, 'text'), 'utf8')).toBe('no newline');
    expect((await copy({ path: join(dir, 'empty') })).exitCode).toBe(0);
    expect(readFileSync(join(dir, 'empty'), 'utf8')).toBe('');
  });

  it('system/copy makes a folder where the path ends with a slash, and accepts one that exists', async () => {
    for (const _ of [1, 2]) expect(await copy({ path: `${dir}/x/y/`, mode: '0750' })).toMatchObject({ exitCode: 0 });
    expect([modeOf(`${dir}/x`), modeOf(`${dir}/x/y`)]).toEqual(['755', '750']);
  });

  it('system/copy replaces a file in one step, with its mode and owner; never setuid', async () => {
    const path = join(dir, 'file');
    writeFileSync(path, 'old');
    if (process.getuid?.() === 0) chownSync(path, 1234, 5678);
    chmodSync(path, 0o4640);
    const { ino, uid, gid } = statSync(path);
    expect(await copy({ path }, 'new')).toMatchObject({ exitCode: 0 });
    const after = statSync(path);
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect([after.uid, after.gid, modeOf(path)]).toEqual([uid, gid, '640']);
    expect(after.ino).not.toBe(ino);
    await expect(copy({ path, mode: '4755' }, 'x')).rejects.toThrow(/“mode” must match/);
    expect(await copy({ path, mode: '600' }, 'x')).toMatchObject({ exitCode: 0 });
    expect(modeOf(path)).toBe('600');
  });

  it.runIf(process.getuid?.() === 0)('system/copy gives the file to the owner that it is told', async () => {
    const path = join(dir, 'file');
    for (const [owner, ids] of [
      ['daemon', [1, 0]],
      ['daemon:bin', [1, 2]],
      [':4711', [1, 4711]],
    ] as const) {
      expect(await copy({ path, owner }, 'x')).toMatchObject({ exitCode: 0 });
      expect([statSync(path).uid, statSync(path).gid]).toEqual(ids);
    }
    expect(await copy({ path, owner: 'nobody-here' }, 'y')).toMatchObject({
      exitCode: 2,
      stderr: 'system/copy: there is no user nobody-here here\n',
    });
    expect(readFileSync(path, 'utf8')).toBe('x');
  });

  it('system/copy leaves links, folders and devices alone, and the folders above them', async () => {
    writeFileSync(join(dir, 'target'), 'untouched');
    symlinkSync('target', join(dir, 'link'));
    mkdirSync(join(dir, 'folder'));
    for (const [path, reason] of [
      [`${dir}/link`, 'is a link or a device'],
      [`${dir}/folder`, 'is a folder'],
      ['/dev/null', 'is a link or a device'],
      [`${dir}/target/below`, 'Not a directory'],
    ] as const) {
      const { stderr, exitCode } = await copy({ path }, 'x');
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining(reason)]);
    }
    expect(readFileSync(join(dir, 'target'), 'utf8')).toBe('untouched');
    expect(readdirSync(dir).sort()).toEqual(['folder', 'link', 'target']);
  });

  it('system/copy writes nothing outside root, whatever links say', async () => {
    const root = join(dir, 'site');
    mkdirSync(join(root, 'real'), { recursive: true });
    mkdirSync(join(dir, 'outside'));
    symlinkSync('../outside', join(root, 'out'));
    symlinkSync('real', join(root, 'in'));
    expect(await copy({ path: `${root}/in/a`, root }, 'x')).toMatchObject({ exitCode: 0 });
    expect(readFileSync(`${root}/real/a`, 'utf8')).toBe('x');
    for (const [path, code] of [
      [`${root}/out/a`, 1],
      [`${root}/out/deep/`, 1],
      [`${root}/../outside/a`, 2],
      [`${dir}/outside/a`, 2],
      [`${root}`, 2],
      [`${root}ly`, 2],
    ] as const)
      expect([path, (await copy({ path, root }, 'x')).exitCode]).toEqual([path, code]);
    expect(readdirSync(join(dir, 'outside'))).toEqual([]);
    expect(existsSync(`${root}ly`)).toBe(false);
  });

  it('system/copy that is ended midway leaves the old file, and nothing beside it', async () => {
    const path = join(dir, 'file');
    writeFileSync(path, 'old');
    const running = startPlugin('system/copy', { args: { path } });
    running.stdin.write('half');
    await until(() => readdirSync(dir).length === 2, 'the file beside it');
    running.kill();
    expect((await running).exitCode).toBe(1);
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(dir)).toEqual(['file']);
  });
});
