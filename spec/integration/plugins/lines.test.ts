import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
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
import { runPlugin } from '../../support/shipped-plugins.ts';

let dir: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'triggerd-plugin-')));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('log', () => {
  const log = (args: Record<string, string>, payload = '') => runPlugin('log', { args, payload, fixed: { root: dir } });

  it('log appends the lines of the payload, or of the text', async () => {
    const path = join(dir, 'log');
    expect(await log({ path }, 'one\ntwo')).toMatchObject({ stdout: `Wrote 2 lines to ${path}\n`, exitCode: 0 });
    expect(await log({ path, text: 'drei ü' }, 'not this')).toMatchObject({ exitCode: 0 });
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\ndrei ü\n');
    expect((statSync(path).mode & 0o777).toString(8)).toBe('640');
  });

  it('G13: log keeps a line one line, which cannot move a cursor', async () => {
    const path = join(dir, 'log');
    await log({ path, text: 'a\u001b[2Jb\rc\u0007d\te\u007fü\u009b' });
    await log({ path }, 'f\0');
    expect(readFileSync(path, 'utf8')).toBe('a\\x1b[2Jb\\x0dc\\x07d\te\\x7fü\\xc2\\x9b\nf\\x00\n');
  });

  it('log stamps each line with time and node', async () => {
    const path = join(dir, 'log');
    await log({ path, stamp: 'true' }, 'one\ntwo\n');
    expect(readFileSync(path, 'utf8')).toMatch(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ lb01 (one|two)\n){2}$/);
  });

  it('log keeps the lines of one job together, however many jobs write', async () => {
    const path = join(dir, 'log');
    const entry = (name: string) => `${name.repeat(3000)}\n`.repeat(20);
    await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => log({ path }, entry(name))));
    const order = [...new Set(readFileSync(path, 'utf8'))].filter((name) => name !== '\n');
    expect(order.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(readFileSync(path, 'utf8')).toBe(order.map(entry).join(''));
  });

  it('log writes to no link, FIFO, device or folder, and makes no folders', async () => {
    writeFileSync(join(dir, 'target'), '');
    symlinkSync('target', join(dir, 'link'));
    execFileSync('mkfifo', [join(dir, 'fifo')]);
    mkdirSync(join(dir, 'folder'));
    for (const path of ['link', 'fifo', 'folder', 'missing/log'].map((name) => join(dir, name))) {
      const { stderr, exitCode } = await log({ path, text: 'x' });
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`log: ${path} `)]);
    }
    expect(readFileSync(join(dir, 'target'), 'utf8')).toBe('');
  });

  it('log writes nothing outside its root, which no job chooses', async () => {
    const top = join(dir, 'top');
    mkdirSync(join(top, 'real'), { recursive: true });
    mkdirSync(join(dir, 'outside'));
    symlinkSync('../outside', join(top, 'out'));
    symlinkSync('real', join(top, 'in'));
    writeFileSync(join(dir, 'outside/file'), '');
    linkSync(join(dir, 'outside/file'), join(top, 'hard'));
    const log = (path: string) => runPlugin('log', { args: { path, text: 'x' }, fixed: { root: top } });
    expect(await log(`${top}/in/log`)).toMatchObject({ exitCode: 0 });
    expect(readFileSync(`${top}/real/log`, 'utf8')).toBe('x\n');
    for (const [path, code, reason] of [
      [`${top}/out/a`, 1, 'leads out of'],
      [`${top}/hard`, 1, 'has another name somewhere else'],
      [`${top}/../outside/a`, 2, 'a path without . and ..'],
      [`${dir}/outside/a`, 2, `is not below ${top}, which this node's plugin.toml names`],
      [`${top}ly`, 2, 'is not below'],
      [top, 2, 'is not below'],
      [`${top}/x/`, 2, 'without / at its end'],
    ] as const) {
      const { stderr, exitCode } = await log(path);
      expect([path, exitCode, stderr]).toEqual([path, code, expect.stringContaining(reason)]);
    }
    expect(readdirSync(join(dir, 'outside'))).toEqual(['file']);
    expect(readFileSync(join(dir, 'outside/file'), 'utf8')).toBe('');
    await expect(runPlugin('log', { args: { path: join(dir, 'a'), root: dir, text: 'x' } })).rejects.toThrow(
      /“root” is fixed by this node’s plugin\.toml/,
    );
    expect(await runPlugin('log', { args: { path: join(dir, 'a'), text: 'x' } })).toMatchObject({ exitCode: 2 });
  });

  it('log with nothing to write does nothing', async () => {
    expect(await log({ path: join(dir, 'log') })).toMatchObject({ exitCode: 2 });
    expect(readdirSync(dir)).toEqual([]);
  });

  it.runIf(!existsSync('/dev/log'))('log says that no syslog runs', async () => {
    const { stderr, exitCode } = await log({ text: 'x' });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('log: syslog took nothing (is there a /dev/log?)');
  });

  it.each([{ priority: 'user.loud' }, { priority: 'kern.info' }, { tag: '-x' }, { path: 'here' }, { stamp: '1' }])(
    'log refuses %j',
    async (args: Record<string, string>) => {
      await expect(log({ ...args, text: 'x' })).rejects.toThrow(/must match/);
    },
  );
});

describe('filter', () => {
  const filter = (args: Record<string, string>, payload = '') => runPlugin('filter', { args, payload });

  it('filter prints the lines that match', async () => {
    expect(await filter({ pattern: '^b|9' }, 'a1\nb2\nc9\n')).toEqual({ stdout: 'b2\nc9\n', stderr: '', exitCode: 0 });
    expect((await filter({ pattern: 'B', 'ignore-case': 'true', invert: 'true' }, 'a\nb\nB\n')).stdout).toBe('a\n');
    expect((await filter({ pattern: '^O', text: 'OK' }, 'Other')).stdout).toBe('OK\n');
    expect((await filter({ pattern: '^.$' }, 'ü\nüü\n')).stdout).toBe('ü\n');
  });

  it('filter exits with 1 where no line matches, and with 2 for an invalid expression', async () => {
    expect(await filter({ pattern: 'x' }, 'a\n')).toEqual({
      stdout: '',
      stderr: 'filter: no such line\n',
      exitCode: 1,
    });
    const { stderr, exitCode } = await filter({ pattern: '(' }, 'a\n');
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('Unmatched (')]);
    await expect(filter({ pattern: 'a\nb' })).rejects.toThrow(/must match/);
  });
});

describe('flipflop', () => {
  const flipflop = (args: Record<string, string>) =>
    runPlugin('flipflop', { args, env: { TRIGGERD_STATE: join(dir, 'plugins/flipflop') } });
  const printed = async (args: Record<string, string>) => (await flipflop(args)).stdout;

  it('flipflop flips, sets and gets, each name for itself', async () => {
    expect(await printed({ action: 'get' })).toBe('0\n');
    expect(await printed({})).toBe('1\n');
    expect(await printed({})).toBe('0\n');
    expect(await printed({ name: 'lamp', action: 'set', value: '1' })).toBe('1\n');
    expect(await printed({ name: 'lamp', action: 'get' })).toBe('1\n');
    expect(await printed({ action: 'get' })).toBe('0\n');
  });

  it('flipflop loses no flip of many at once', async () => {
    const seen = await Promise.all(Array.from({ length: 11 }, () => printed({})));
    expect(seen.filter((value) => value === '1\n')).toHaveLength(6);
    expect(await printed({ action: 'get' })).toBe('1\n');
  });

  it('flipflop says what is wrong', async () => {
    expect(await flipflop({ action: 'set' })).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('value') });
    await printed({});
    writeFileSync(join(dir, 'plugins/flipflop/switch'), 'maybe\n');
    expect(await flipflop({})).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('neither 0 nor 1') });
    expect(await printed({ action: 'set', value: '0' })).toBe('0\n');
    await expect(flipflop({ name: '../x' })).rejects.toThrow(/must match/);
    await expect(flipflop({ name: '.lock' })).rejects.toThrow(/must match/);
  });
});

describe('command', () => {
  it('command runs the payload with bash, whose standard input is then at its end', async () => {
    expect((await runPlugin('command', { payload: 'echo $((1 + 1)); [[ ab == a* ]] && cat' })).stdout).toBe('2\n');
    expect(await runPlugin('command', { payload: 'exit 7' })).toMatchObject({ exitCode: 7 });
  });

  it('command fails for nothing to run, and for more than the kernel accepts', async () => {
    expect(await runPlugin('command')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('nothing to run'),
    });
    const long = `echo fine; : ${'x'.repeat(131_072 - 13)}`;
    expect((await runPlugin('command', { payload: long.slice(0, -1) })).stdout).toBe('fine\n');
    expect(await runPlugin('command', { payload: long })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('a command line of 131072 bytes'),
    });
  });
});
