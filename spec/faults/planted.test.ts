import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it, onTestFinished } from 'vitest';
import { createNode, root } from '../support/node.ts';
import { until } from '../support/wait.ts';

const nowhere = ['http://127.0.0.1:1'];

/** What the daemon says before it ends, or `ready`. */
const startWith = async (plant: (dir: string) => unknown): Promise<string> => {
  const node = createNode({ name: 'planted', etcd: nowhere });
  onTestFinished(() => node.remove());
  const planted = plant(node.dir);
  const words = Array.isArray(planted) ? planted : [];
  const daemon = execa(join(root, 'bin/triggerd'), ['--config', node.configFile, ...words], { reject: false });
  let said = '';
  daemon.stderr.on('data', (piece: Buffer) => {
    said += piece.toString();
  });
  onTestFinished(async () => {
    daemon.kill('SIGKILL');
    await daemon;
  });
  const isReady = () => said.includes('"Ready"');
  await until(() => daemon.exitCode !== null || isReady(), 'the daemon to be ready or to end');
  if (isReady()) return 'ready';
  await daemon; // its last words are there then
  return `${daemon.exitCode} ${said}`;
};
const remade = (path: string, make: (path: string) => void): void => {
  rmSync(path, { recursive: true, force: true });
  make(path);
};

/** The arguments for a socket in a folder of its own. */
const socketIn = (dir: string, spoil: (folder: string) => void): string[] => {
  mkdirSync(join(dir, 'run'));
  spoil(join(dir, 'run'));
  return ['--socket', join(dir, 'run/sock')];
};

it.each<[string, (dir: string) => unknown, RegExp]>([
  ['a state folder that all can write', (dir) => chmodSync(join(dir, 'state'), 0o777), /^1 .*can be written/s],
  [
    'a state folder of somebody else',
    (dir) => chownSync(join(dir, 'state'), 65_534, 65_534),
    /^1 .*belongs to user 65534/s,
  ],
  ['a file for a state folder', (dir) => remade(join(dir, 'state'), (path) => writeFileSync(path, '')), /^1 .*state/s],
  ['a jobs folder of somebody else', (dir) => jobsOf(dir, 65_534), /^1 .*belongs to user 65534/s],
  ['a folder for a journal', (dir) => mkdirSync(join(dir, 'state/journal.db')), /^1 .*journal\.db/s],
  ['a FIFO for a journal', (dir) => void execFileSync('mkfifo', [join(dir, 'state/journal.db')]), /^1 .*journal\.db/s],
  [
    'a link that leads nowhere for a journal',
    (dir) => symlinkSync('/no/such', join(dir, 'state/journal.db')),
    /^1 .*journal\.db/s,
  ],
  ['a folder that all can write above the state folder', (dir) => chmodSync(dir, 0o777), /^1 .*can be written/s],
  [
    'a folder of somebody else above the state folder',
    (dir) => chownSync(dir, 65_534, 65_534),
    /^1 .*belongs to user 65534/s,
  ],
  [
    'a socket’s folder that all can write',
    (dir) => socketIn(dir, (folder) => chmodSync(folder, 0o777)),
    /^1 .*can write to the control socket’s folder/s,
  ],
  [
    'a socket’s folder of somebody else',
    (dir) => socketIn(dir, (folder) => chownSync(folder, 65_534, 65_534)),
    /^1 .*socket’s folder.*user 65534/s,
  ],
  ['a folder for a socket', (dir) => mkdirSync(join(dir, 'sock')), /^1 .*sock/s],
])('G7: %s is refused with a message', async (_what, plant, words) => {
  expect(await startWith(plant)).toMatch(words);
});

it('G7: a file where the socket should be is not deleted', async () => {
  let file = '';
  const said = await startWith((dir) => {
    file = join(dir, 'sock');
    writeFileSync(file, 'somebody’s');
  });
  expect(said).toMatch(/^1 .*sock/s);
  expect(readFileSync(file, 'utf8')).toBe('somebody’s');
});

it('G7: a link where the socket should be does not mislead the daemon', async () => {
  let target = '';
  const said = await startWith((dir) => {
    target = join(dir, 'precious');
    writeFileSync(target, 'somebody’s');
    symlinkSync(target, join(dir, 'sock'));
  });
  expect(said).toMatch(/^(1 .*sock|ready)/s);
  expect(existsSync(target) && readFileSync(target, 'utf8')).toBe('somebody’s');
});

const jobsOf = (dir: string, uid: number): void => {
  mkdirSync(join(dir, 'state/jobs'));
  chownSync(join(dir, 'state/jobs'), uid, uid);
};
