import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { defaultSocketPath } from '../../src/config/default-socket.ts';
import { root } from '../support/node.ts';
import { until } from '../support/wait.ts';

/** A plain user of this machine, and nobody in particular. */
const user = 65_534;
let dir: string;
let daemon: ChildProcess | undefined;

const env = (): Record<string, string> => ({
  HOME: join(dir, 'home'),
  XDG_RUNTIME_DIR: join(dir, 'run'),
  XDG_STATE_HOME: join(dir, 'state'),
  TRIGGERD_PLUGINS_PATH: join(root, 'plugins'),
});
const asUser = ['--reuid', `${user}`, '--regid', `${user}`, '--clear-groups', '--'];
const trigger = async (...words: string[]) => {
  const { stdout, stderr, exitCode } = await execa('setpriv', [...asUser, join(root, 'bin/trigger'), ...words], {
    env: env(),
    cwd: dir,
    reject: false,
    stdin: 'ignore',
  });
  return { stdout, stderr, exitCode };
};
const start = async (): Promise<void> => {
  daemon = spawn('setpriv', [...asUser, join(root, 'bin/triggerd'), '--user'], {
    env: { ...process.env, ...env() },
    cwd: dir,
    stdio: 'ignore',
  });
  await until(async () => (await trigger('queue')).exitCode === 0, 'the daemon');
};
const stop = async (): Promise<void> => {
  if (daemon === undefined) return;
  const over = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  expect((await over)[0]).toBe(0);
  daemon = undefined;
};

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'triggerd-user-'));
  chownSync(dir, user, user);
  for (const name of ['home', 'run', 'state']) {
    mkdirSync(join(dir, name), { mode: 0o700 });
    chownSync(join(dir, name), user, user);
  }
  await start();
});
afterAll(async () => {
  await stop();
  rmSync(dir, { recursive: true, force: true, maxRetries: 50, retryDelay: 10 });
});

it('a plain user’s daemon has a queue of their own without etcd, and trigger finds its socket', async () => {
  expect(await trigger('queue', 'add', '--wait', '--', 'sh', '-c', 'id -u; exit 3')).toMatchObject({ exitCode: 3 });
  expect(await trigger('queue', 'cat')).toEqual({ stdout: `${user}`, stderr: '', exitCode: 3 });
  expect(await trigger('tsp', '-f', 'true')).toEqual({ stdout: '0', stderr: '', exitCode: 0 });
});

it('no other user can open a plain user’s socket or read their jobs', () => {
  expect(statSync(join(dir, 'run/triggerd/triggerd.sock')).mode & 0o777).toBe(0o600);
  expect(statSync(join(dir, 'state/triggerd/queue')).mode & 0o077).toBe(0);
});

it('a plain user’s daemon refuses what needs etcd with a message, and the queue outlives the daemon', async () => {
  expect(await trigger('nodes')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('has no etcd') });
  const { stdout: id } = await trigger('queue', 'add', '--delay', '1s', '--', 'true');
  await stop();
  await start();
  expect(await trigger('queue', 'wait', id)).toMatchObject({ exitCode: 0 });
  expect((await trigger('tsp')).stdout).toMatch(/^0 +finished/m);
});

it('trigger uses the system’s socket where a plain user may open it, otherwise the user’s own one', async () => {
  // Not below the user's folder: root's daemon would not trust it.
  const own = mkdtempSync(join(tmpdir(), 'triggerd-system-'));
  onTestFinished(() => rmSync(own, { recursive: true, force: true, maxRetries: 50, retryDelay: 10 }));
  chmodSync(own, 0o755);
  const places = { XDG_RUNTIME_DIR: join(own, 'run'), XDG_STATE_HOME: join(own, 'state') };
  const system = spawn(join(root, 'bin/triggerd'), ['--user'], {
    env: { ...process.env, ...env(), ...places },
    stdio: 'ignore',
  });
  onTestFinished(async () => {
    const over = once(system, 'exit');
    system.kill('SIGTERM');
    await over;
  });
  const socket = join(own, 'run/triggerd/triggerd.sock');
  await until(() => existsSync(socket), 'the socket of the other daemon');
  // A /run of its own, where the system's socket leads to the other daemon.
  const inside = `mount -t tmpfs none /run && mkdir /run/triggerd && ln -s ${socket} ${defaultSocketPath} && exec "$@"`;
  const whose = async (): Promise<string> => {
    const words = [
      '-m',
      'sh',
      '-c',
      inside,
      'sh',
      'setpriv',
      ...asUser,
      join(root, 'bin/trigger'),
      'tsp',
      '-nf',
      'id',
      '-u',
    ];
    return (await execa('unshare', words, { env: env(), cwd: dir, stdin: 'ignore' })).stdout;
  };
  chmodSync(join(own, 'run'), 0o755);
  chmodSync(join(own, 'run/triggerd'), 0o755);
  chmodSync(socket, 0o600);
  expect(await whose()).toBe(`${user}`);
  chmodSync(socket, 0o666);
  expect(await whose()).toBe('0');
});
