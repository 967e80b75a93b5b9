import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PluginTestView } from '../../src/api/contract/plugins.ts';
import { freePort } from '../support/etcd.ts';
import { createNode, type TestNode } from '../support/node.ts';

let plugins: string;
let node: TestNode;
beforeAll(async () => {
  plugins = mkdtempSync(join(tmpdir(), 'triggerd-new-'));
  chmodSync(plugins, 0o755);
  // It has no etcd: making and trying plugins needs none.
  node = createNode({ name: 'new01', etcd: [`http://127.0.0.1:${await freePort()}`], plugins });
  await node.start();
});
afterAll(async () => {
  await node?.remove();
  rmSync(plugins, { recursive: true, force: true });
});

const filesOf = (name: string) => readdirSync(join(plugins, name)).sort();

describe('trigger plugin new', () => {
  it.each([
    ['sh', 'in-sh', []],
    ['python', 'deep/in/python', []],
    ['node', 'node', ['main.mjs']],
  ])('trigger plugin new --lang %s makes a plugin that passes its test', async (language, name, more) => {
    const { stdout, stderr, exitCode } = await node.trigger('plugin', 'new', name, '--lang', language);
    expect([exitCode, stdout]).toEqual([0, join(plugins, name)]);
    expect(stderr).toContain(`  trigger plugin test ${name}\n`);
    const base = name.split('/').at(-1) ?? '';
    expect(filesOf(name)).toEqual(['README.md', base, 'plugin.toml', ...more].sort());
    for (const file of filesOf(name)) expect(readFileSync(join(plugins, name, file), 'utf8')).not.toMatch(/@[A-Z]+@/);

    const test = await node.json<PluginTestView>('plugin', 'test', name);
    expect(test).toMatchObject({ ok: true, exit_code: 0, problem: null });
    expect(test.output).toBe('hello Ada, your payload has 2 lines (this is new01)\n');
  });

  it.each(['in-sh', 'deep/in/python', 'node'])(
    'the new plugin %s fails with a message where it cannot do its work',
    async (name) => {
      const id = (await node.trigger('queue', 'add', '--plugin', name, '--arg', 'name=nobody')).stdout;
      expect(await node.trigger('queue', 'wait', id)).toMatchObject({ exitCode: 1 });
      expect((await node.trigger('queue', 'cat', id)).stdout).toBe(
        `${name}: there is nobody to greet: give another name`,
      );
    },
  );

  it('trigger plugin new leaves existing files alone', async () => {
    writeFileSync(join(plugins, 'in-sh/in-sh'), 'mine');
    for (const name of ['in-sh', 'in-sh/in-sh', 'deep']) {
      const { stderr, exitCode } = await node.trigger('plugin', 'new', name);
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining('exists already')]);
    }
    expect(readFileSync(join(plugins, 'in-sh/in-sh'), 'utf8')).toBe('mine');
  });

  it('trigger plugin new makes the folder of --dir, and says what the daemon needs to find it', async () => {
    const dir = join(node.dir, 'elsewhere');
    const { stdout, stderr } = await node.trigger('plugin', 'new', 'mine', '--dir', dir);
    expect(stdout).toBe(join(dir, 'mine'));
    expect(stderr).toContain(`set that to ${dir}`);
    expect(statSync(join(dir, 'mine/mine')).mode & 0o777).toBe(0o755);
    expect(await node.json('plugin', 'new', 'other', '--dir', dir)).toEqual({
      name: 'other',
      folder: join(dir, 'other'),
      files: ['plugin.toml', 'README.md', 'other'],
    });
  });

  it.each([
    [['../x'], 2, 'is not a plugin name'],
    [['/etc/x'], 2, 'is not a plugin name'],
    [['x', '--lang', 'cobol'], 2, 'sh, python, node'],
    [['x', '--dir', '/proc'], 1, '/proc/x'],
    [['x/plugin.toml'], 1, 'EEXIST'],
    [[], 2, 'missing required argument'],
  ])('trigger plugin new refuses %j', async (args, code, reason) => {
    const { stderr, exitCode } = await node.trigger('plugin', 'new', ...args);
    expect([exitCode, stderr]).toEqual([code, expect.stringContaining(reason)]);
    expect(existsSync(join(plugins, 'x/plugin.toml'))).toBe(false);
  });

  it('trigger plugin new makes no plugins folder that nobody named, which would hide the shipped plugins', async () => {
    const config = join(node.dir, 'other.toml');
    writeFileSync(config, `[plugins]\npath = "${node.dir}/missing"\n`);
    const { stderr, exitCode } = await node.trigger('plugin', 'new', 'x', '--config', config);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`there is no plugins folder ${node.dir}/missing`)]);
  });
});
