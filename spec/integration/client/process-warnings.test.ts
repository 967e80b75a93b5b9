import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FakeRegistry, quietPeers, startTestBroker, type TestBroker } from '../../support/bus.ts';
import { root } from '../../support/node.ts';
import { succeeded, type TestWorker, worker } from '../../support/peers.ts';
import { until } from '../../support/wait.ts';

/** Programs of services while Node.js warns them, which it does here at SIGUSR2. */
const registry = new FakeRegistry().worker('team1', 'demo01').worker('team1', 'demo02');
registry.service('team1', 'demoservice', ['demo01']);
const warn = `process.emitWarning('of no interest', 'DeprecationWarning', 'DEP0123');
process.emitWarning('old\\x1b[1mways', 'DeprecationWarning', 'DEP9999');`;
const preload = `data:text/javascript,${encodeURIComponent(`process.on('SIGUSR2', () => { ${warn} });`)}`;

let at: TestBroker;
let peer: TestWorker;
let home: string;

beforeAll(async () => {
  at = await startTestBroker({ registry, limits: quietPeers });
  peer = await worker(at.address);
  home = mkdtempSync(join(tmpdir(), 'triggerd-warned-'));
  const main = `[main]\nbroker = "${at.address.endpoint}"\nbroker_key = "${at.address.key}"\n`;
  const user = 'team = "team1"\nidentity = "hp"\nsecret = "secret"\n';
  const node = `[node]\nname = "n1"\nstate_dir = "${home}/state"\nsocket = "${home}/socket"\n`;
  const own = `[workers.team1.demo02]\ntoken = "token"\n`;
  writeFileSync(join(home, 'triggerfs.toml'), `${main}${user}${node}${own}`, { mode: 0o600 });
});
afterAll(async () => {
  await peer.close();
  await at.broker.stop();
  rmSync(home, { recursive: true });
});

const start = (program: string, args: readonly string[]) => {
  const env = { HOME: home, NO_COLOR: '1', NODE_OPTIONS: `--import ${preload}` };
  const running = execa(join(root, 'bin', program), args, { reject: false, input: '', env });
  let stderr = '';
  running.stderr?.on('data', (data: Buffer) => {
    stderr += String(data);
  });
  return { running, said: (text: string) => until(() => stderr.includes(text), text) };
};

it.each([
  ['trigger', ['request', '--service', 'demoservice', '--plugin', 'echo', '--command', 'x']],
  ['triggerfs-client', ['-service', 'demoservice', '-plugin', 'echo', '-command', 'x']],
  ['triggerfs-cli', ['-c', 'request demoservice plugin echo command x']],
])('%s reports a warning of Node.js in its own form, and omits irrelevant ones', async (program, args) => {
  peer.heard.length = 0;
  const { running, said } = start(program, args);
  const { id } = await peer.hears('request');
  running.kill('SIGUSR2');
  await said('ways');
  peer.say(succeeded(id));
  const { stderr, exitCode } = await running;
  expect(stderr.match(/^.*ways.*$/gm)).toEqual([`${program}: warning: old\\e[1mways`]);
  expect(stderr).not.toMatch(/of no interest|\(node:|DeprecationWarning/);
  expect(exitCode).toBe(0);
});

it('triggerfs-worker logs a warning of Node.js as a line', async () => {
  const { running, said } = start('triggerfs-worker', ['-identity', 'demo02', '-socket', join(home, 'socket')]);
  await until(() => at.broker.state.peers > 1, 'the worker');
  running.kill('SIGUSR2');
  await said('ways');
  running.kill('SIGTERM');
  const { stderr } = await running;
  expect(stderr.match(/^.*ways.*$/gm)).toEqual([expect.stringMatching(/^\d{4}\/\S+ \S+ W: old\\e\[1mways/)]);
  expect(stderr).not.toMatch(/of no interest|\(node:/);
});
