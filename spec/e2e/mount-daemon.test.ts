import { appendFileSync, chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createNode, type TestNode } from '../support/node.ts';
import { processesWith } from '../support/processes.ts';
import { password, type ServicesSite, startSite } from '../support/services-site.ts';
import { signalProcess } from '../support/signal.ts';
import { until } from '../support/wait.ts';

let site: ServicesSite;
let a: TestNode;
let b: TestNode;

const at = (node: TestNode, ...names: string[]): string => join(node.dir, 'mnt', ...names);
const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
const sh = (node: TestNode, script: string) =>
  execa('bash', ['-c', script], { cwd: at(node), reject: false, timeout: 60_000, env: { LC_ALL: 'C' } });
/** Lines of all nodes: whose comes last, nobody knows. */
const collected = async (): Promise<string[]> => (await text(join(b.dir, 'collected'))).split('\n');
const hits = async (name: string): Promise<number> => {
  const { stdout } = await site.run('triggerfs-cli', ['-json', '-c', 'show triggers']);
  return (JSON.parse(stdout) as { name: string; hits: number }[]).find((row) => row.name === name)?.hits ?? 0;
};
const say = async (...lines: string[]): Promise<void> => {
  const { exitCode, stderr } = await site.run(
    'triggerfs-cli',
    lines.flatMap((line) => ['-c', line]),
  );
  expect([stderr, exitCode]).toEqual(['', 0]);
};

/** A daemon that mounts, and is a worker; it knows brokers only from etcd. */
const mountingNode = async (name: string): Promise<TestNode> => {
  const token = await site.addWorker(name);
  await say(`set services name on${name}`, `set services on${name} workers add ${name}`);
  const node = createNode({ name, etcd: [site.etcd.endpoint] });
  appendFileSync(
    node.configFile,
    `[main]\nteam = "team1"\nidentity = "hp"\nsecret = "${password}"
[triggerfs]\nmountpoint = "${join(node.dir, 'mnt')}"
[workers]\npluginspath = "${join(node.dir, 'plugins')}"
[workers.team1.${name}]\ntoken = "${token}"\n`,
  );
  plugin(node, 'collect', `cat >> ${join(node.dir, 'collected')}`);
  plugin(node, 'pass', `cat > ${join(node.dir, 'mnt/chain/b')}`);
  await node.start();
  await until(() => node.log().some(({ msg }) => msg === 'Mounted the trigger files'), `the mount of ${name}`);
  return node;
};

const plugin = (node: TestNode, name: string, script: string): void => {
  const folder = join(node.dir, 'plugins', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'plugin.toml'), 'summary = "For the test"\n');
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
};

beforeAll(async () => {
  site = await startSite();
  a = await mountingNode('a');
  b = await mountingNode('b');
});
afterAll(async () => {
  await Promise.all([a?.remove(), b?.remove()]);
  await site?.remove();
});

it('the mounts of two nodes show one tree: what one makes appears on the other', async () => {
  expect(await sh(a, 'mkdir chain && ls')).toMatchObject({ stdout: 'chain', exitCode: 0 });
  await until(async () => (await readdir(at(b))).includes('chain'), 'the directory on the other node');
  await say(
    'set trigger name /chain/a',
    'set trigger a plugin pass',
    'set trigger a service attach ona',
    'set trigger name /chain/b',
    'set trigger b plugin collect',
    'set trigger b service attach onb',
  );
  await until(async () => (await readdir(at(b, 'chain'))).length === 2, 'the triggers');
});

it('a message written for server A is passed on to server B by a chain', async () => {
  await sh(b, "printf '31F;10°;3.2' > chain/a");
  await until(async () => (await text(join(b.dir, 'collected'))) === '31F;10°;3.2', 'the end of the chain');
});

it('hits of all nodes are counted exactly', async () => {
  await until(async () => (await hits('b')) === 1, 'the hit of the chain');
  const write = (node: TestNode) => sh(node, 'for i in $(seq 1 30); do echo $i > chain/b; done');
  await Promise.all([write(a), write(b)]);
  await until(async () => (await hits('b')) === 61, 'the hits');
});

it('the mount answers and takes writes while etcd and the broker are away, and delivers them later', async () => {
  const broker = site.brokers[0]?.node;
  if (broker === undefined) throw new Error('a site has a broker');
  await broker.crash();
  site.etcd.freeze();
  expect(await sh(a, 'ls chain && echo meanwhile > chain/b')).toMatchObject({ stdout: 'a\nb', exitCode: 0 });
  expect(await sh(a, 'mkdir other')).toMatchObject({ exitCode: 1 });
  expect((await a.trigger('queue', '--files')).stdout).toMatch(
    /^TRIGGER FILE +WAITING +DEAD +HITS +LAST +REASON\n(?:.*\n)*\/chain\/b +[1-9]\d* +0 +\d+ /,
  );
  site.etcd.thaw();
  await broker.start();
  await until(async () => (await collected()).includes('meanwhile'), 'the delivery');
});

it('a message that is refused for good is kept, tried again on request, and forgotten on request', async () => {
  await say('set trigger b plugin nowhere');
  const isKnown = async () => (await text(at(a, 'chain', '.b.status'))).includes('"plugin": "nowhere"');
  await until(isKnown, 'the change on this node');
  await until(async () => (await sh(a, 'echo dead > chain/b')).exitCode === 0, 'a write');
  const dead = async (): Promise<number> => {
    const { stdout } = await a.trigger('queue', '--files', '--json');
    return (JSON.parse(stdout) as { path: string; dead: number }[]).find(({ path }) => path === '/chain/b')?.dead ?? 0;
  };
  await until(async () => (await dead()) === 1, 'the dead letter');
  await say('set trigger b plugin collect');
  await until(async () => {
    const { stdout, stderr } = await a.trigger('queue', 'replay', '/chain/b');
    expect([stdout, stderr]).toEqual(['', expect.stringMatching(/^messages that wait again: [01]\n?$/)]);
    return (await collected()).includes('dead');
  }, 'the delivery');
  expect(await a.trigger('queue', 'purge', '--all', '--json')).toMatchObject({ stdout: '{\n  "messages": 0\n}' });
  expect(await a.trigger('queue', 'replay')).toMatchObject({ exitCode: 2 });
  expect(await a.trigger('queue', 'purge', '/chain/none')).toMatchObject({ exitCode: 1 });
});

it('a daemon continues although its own mount does not answer', async () => {
  const [serving] = processesWith(`programs/mount.js {"mountpoint":"${at(a)}"`);
  if (serving === undefined) throw new Error('the mount has a process');
  onTestFinished(() => void process.kill(serving, 'SIGCONT'));
  signalProcess({ pid: serving, kill: (signal) => process.kill(serving, signal) }, 'SIGSTOP');
  for (const words of ['queue --files', 'nodes', 'plugin list', 'queue purge --all', 'queue replay --all'])
    expect(await a.trigger(...words.split(' ')), words).toMatchObject({ exitCode: 0 });
  expect((await a.trigger('doctor')).stdout).toContain('FUSE');
}, 60_000);

it('a trigger mount is mounted again after a crash of the daemon, and unmounted by a stop', async () => {
  const writer = sh(a, 'while echo x > chain/b; do :; done');
  await a.crash();
  expect((await writer).stderr).toMatch(/not connected|connection abort|No such file/);
  await a.start();
  await until(async () => (await readdir(at(a)).catch((): string[] => [])).includes('chain'), 'the mount');
  expect(await a.stop()).toBe(0);
  expect(await readdir(at(a))).toEqual([]);
});
