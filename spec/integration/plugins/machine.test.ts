import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { runPlugin } from '../../support/shipped-plugins.ts';
import { until } from '../../support/wait.ts';

describe('process/kill', () => {
  const kill = (args: Record<string, string>, env: Record<string, string> = {}) =>
    runPlugin('process/kill', { args, env });
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'triggerd-kill-')));
  const started: ChildProcess[] = [];
  /** A sleeper under a name of its own; a copy, so that the name is the kernel's as well. */
  const start = async (name: string): Promise<ChildProcess & { pid: number }> => {
    const program = join(dir, name);
    copyFileSync('/bin/sleep', program);
    const child = spawn(program, ['1000'], { stdio: 'ignore' }) as ChildProcess & { pid: number };
    started.push(child);
    await until(() => readFileSync(`/proc/${child.pid}/comm`, 'utf8') === `${name.slice(0, 15)}\n`, name);
    return child;
  };
  const ended = (child: ChildProcess) => until(() => child.signalCode ?? child.exitCode, 'the end of it');

  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  it('process/kill signals a process by its number', async () => {
    const child = await start('trg-a');
    expect(await kill({ pid: String(child.pid) })).toEqual({
      stdout: `Sent TERM to ${child.pid} (trg-a)\n`,
      stderr: '',
      exitCode: 0,
    });
    expect(await ended(child)).toBe('SIGTERM');
  });

  it('process/kill signals all processes of one name, whole, however long', async () => {
    const all = await Promise.all(['trg-name', 'trg-name-2', 'trg-a-name-of-many-letters'].map(start));
    expect((await kill({ name: 'trg-name', signal: 'INT' })).stdout).toBe(`Sent INT to ${all[0]?.pid} (trg-name)\n`);
    expect((await kill({ name: 'trg-a-name-of-many', signal: 'KILL' })).exitCode).toBe(1);
    expect((await kill({ name: 'trg-a-name-of-many-letters', signal: 'KILL' })).exitCode).toBe(0);
    expect(await Promise.all([all[0], all[2]].map((child) => child && ended(child)))).toEqual(['SIGINT', 'SIGKILL']);
    expect(all[1]?.signalCode).toBeNull();
  });

  it('process/kill in noop only says what it would do', async () => {
    const child = await start('trg-noop');
    const { stdout } = await kill({ name: 'trg-noop' }, { TRIGGERD_NOOP: '1' });
    expect(stdout).toBe(`Would send TERM to ${child.pid} (trg-noop)\n`);
    expect(child.signalCode).toBeNull();
  });

  it('process/kill never signals process 1, nor the processes that it runs below', async () => {
    for (const pid of ['1', String(process.pid)])
      expect(await kill({ pid })).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`process ${pid} is`) });
    // This test is a process of that name, and above it.
    const own = readFileSync('/proc/self/comm', 'utf8').trim();
    const { stdout } = await kill({ name: own }, { TRIGGERD_NOOP: '1' });
    expect(stdout).not.toContain(`to ${process.pid} `);
  });

  it('process/kill says what does not exist, and which argument is missing', async () => {
    expect(await kill({ pid: '4194304' })).toMatchObject({
      exitCode: 1,
      stderr: 'process/kill: 4194304 (gone): No such process\n',
    });
    expect(await kill({ name: 'trg-nobody' })).toMatchObject({ exitCode: 1 });
    expect(await kill({})).toMatchObject({ exitCode: 2 });
    expect(await kill({ pid: '2', name: 'x' })).toMatchObject({ exitCode: 2 });
  });

  it.each([{ pid: '-1' }, { pid: '0' }, { name: 'a', signal: 'SEGV' }, { name: '' }])(
    'process/kill refuses %j',
    async (args) => {
      await expect(kill(args as Record<string, string>)).rejects.toThrow(/must (match|be a whole number)/);
    },
  );
});

describe('monitor', () => {
  const monitor = (args: Record<string, string> = {}) => runPlugin('monitor', { args });

  it('monitor shows this machine’s figures as JSON', async () => {
    const { stdout, stderr } = await monitor({ format: 'json', path: '/proc' });
    const shown = JSON.parse(stdout);
    const total = Number(/MemTotal: +(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
    expect(shown).toMatchObject({ memory: { total }, disk: { path: '/proc', size: 0 } });
    expect(shown.load).toHaveLength(3);
    expect(shown.cpus).toBe(readFileSync('/proc/cpuinfo', 'utf8').match(/^processor/gm)?.length);
    expect(Math.abs(shown.uptime - Number.parseFloat(readFileSync('/proc/uptime', 'utf8')))).toBeLessThan(60);
    expect(stderr).toBe('');
  });

  it('monitor shows this machine’s figures to people', async () => {
    expect((await monitor()).stdout).toMatch(
      /^load {4}[\d. ]+ \(\d+ CPUs\)\nmemory {2}[\d.]+ GiB of [\d.]+ GiB used \(\d+ %\)\nswap .*\ndisk .* on \/\nuptime .*min\n$/,
    );
  });

  it('monitor fails where no disk exists', async () => {
    const { stdout, stderr, exitCode } = await monitor({ path: '/nowhere' });
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 });
    expect(stderr).toContain('monitor: /nowhere is on no disk');
  });
});

/** A systemd that runs units is in `spec/acceptance`. */
describe('service', () => {
  const service = (args: Record<string, string>, env: Record<string, string> = {}) =>
    runPlugin('service', { args, env });

  it.each([
    { unit: '-x' },
    { unit: '--force' },
    { unit: 'a b' },
    { unit: 'a;reboot' },
    { unit: 'a/b' },
    { unit: 'nginx', action: 'mask' },
    { unit: 'nginx', action: 'start --force' },
    { unit: 'nginx', action: 'poweroff' },
  ])('service refuses %j', async (args) => {
    await expect(service(args)).rejects.toThrow(/must match/);
  });

  it('service calls systemd, and fails as systemd does', async () => {
    expect(await service({ unit: 'systemd-journald.service', action: 'is-enabled' })).toMatchObject({
      stdout: 'static\n',
      exitCode: 0,
    });
    const { stderr, exitCode } = await service({ unit: 'trg-nobody.service', action: 'restart' });
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/service: systemctl restart trg-nobody\.service ended with \d+; this is how it is:/);
  });

  it('service says that systemd does not run, and what a noop would do', async () => {
    expect(await service({ unit: 'x' }, { PATH: '/nowhere' })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('no systemd'),
    });
    const { stdout } = await service({ unit: 'x', action: 'stop' }, { TRIGGERD_NOOP: '1' });
    expect(stdout).toMatch(/^Would stop x/);
  });
});
