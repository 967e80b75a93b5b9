/** What is not UTF-8 is refused before anything is asked or changed; what is, stays as it was typed. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPluginFiles } from '../../../src/adapters/files/plugin-files.ts';
import { type StubDaemon, startStubDaemon } from '../../support/stub-daemon.ts';

const bin = join(import.meta.dirname, '../../../bin');
const programs = ['trigger', 'triggerd', 'triggerfs', 'triggerfs-client', 'triggerfs-cli', 'triggerfs-worker'];
let folder: string;
let daemon: StubDaemon;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'exact-'));
  daemon = await startStubDaemon({ 'POST /v1/jobs': () => ({ id: 7 }) });
});
afterAll(async () => {
  await daemon.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A shell makes the bytes: Node cannot pass on what it cannot decode. */
const sh = (script: string, env: Record<string, string> = {}) =>
  execa('sh', ['-c', script], {
    cwd: folder,
    reject: false,
    stdin: 'ignore',
    extendEnv: false,
    env: { PATH: `${bin}:${process.env['PATH']}`, TRIGGERD_SOCKET: daemon.socket, HOME: folder, ...env },
    timeout: 60_000,
  });
const asked = (): unknown[] => daemon.requests.splice(0).map(({ body }) => body);

describe('an argument that is not UTF-8', () => {
  it.each([
    `trigger queue add -- rm "$(printf 'caf\\351')"`,
    `trigger queue add --label "$(printf '\\377')" -- true`,
    `trigger queue add --arg "a=$(printf '\\355\\240\\200')" -- true`,
    `trigger queue add --env "A=$(printf '\\300\\257')" -- true`,
    `trigger fire "$(printf 'refr\\351sh')" --host a`,
    `trigger --config "$(printf 'caf\\351.toml')" queue`,
  ])('an argument that is not UTF-8 makes %s exit 2 before the daemon hears of it', async (command) => {
    const { exitCode, stderr } = await sh(command);
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/^trigger: argument \d is not UTF-8: \$'.*\\x/)]);
    expect(asked()).toEqual([]);
  });

  it.each(programs)('an argument that is not UTF-8 is refused by %s, which names it', async (program) => {
    const { exitCode, stderr } = await sh(`${program} -config "$(printf 'caf\\351.toml')"`);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("is not UTF-8: $'caf\\xe9.toml'")]);
  });

  it('an argument that is not UTF-8 has its own error code in JSON', async () => {
    const { stderr } = await sh(`trigger --json queue add -- "$(printf '\\351')"`);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'text-not-utf8' } });
  });
});

it('an argument, a folder and a variable with U+FFFD are accepted like any other', async () => {
  const { exitCode } = await sh(
    `mkdir 'cafe\ufffd'; cd 'cafe\ufffd'; trigger queue add --label '\ufffd' -- rm 'caf\ufffd' '10°'`,
    {
      HOME: join(folder, '\ufffd'),
    },
  );
  expect(exitCode).toBe(0);
  expect(asked()).toMatchObject([
    { argv: ['rm', 'caf\ufffd', '10°'], label: '\ufffd', cwd: expect.stringMatching(/\/cafe\ufffd$/) },
  ]);
});

describe('a working folder that is not UTF-8', () => {
  it('a working folder that is not UTF-8 is refused, because the job would run in another one', async () => {
    const enter = `d="$(printf 'dir\\351')"; mkdir -p "$d" 'dir\ufffd'; cd "$d"`;
    const { exitCode, stderr } = await sh(`${enter}; trigger queue add -- true`);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('the working folder is not UTF-8')]);
    expect(asked()).toEqual([]);
    expect((await sh(`${enter}; trigger plugin new mine --dir .`)).exitCode).toBe(2);
    expect(readdirSync(join(folder, 'dir\ufffd'))).toEqual([]);
    for (const program of ['triggerd', 'triggerfs', 'triggerfs-worker'])
      expect((await sh(`${enter}; ${program} -config x.toml`)).stderr).toContain('the working folder is not UTF-8');
  });
});

it.each(['TRIGGERD_NODE_NAME', 'TRIGGERD_CONFIG', 'SUDO_USER', 'HOME'])(
  'a variable that the command uses and that is not UTF-8 is refused: %s',
  async (name) => {
    const { exitCode, stderr } = await sh(`${name}="$(printf 'caf\\351')"; export ${name}; trigger queue add -- true`);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`$${name} is not UTF-8: $'caf\\xe9'`)]);
    expect(asked()).toEqual([]);
  },
);

it('a variable that the command does not use may hold any bytes', async () => {
  expect((await sh(`X="$(printf '\\351')"; export X; trigger queue add -- true`)).exitCode).toBe(0);
  expect(asked()).toHaveLength(1);
});

describe('a file that is not UTF-8', () => {
  const latin1 = (name: string, text: string): string => {
    writeFileSync(join(folder, name), Buffer.from(text, 'latin1'));
    return join(folder, name);
  };

  it('a file that is not UTF-8 is refused as configuration', async () => {
    const { exitCode, stderr } = await sh(`trigger config check ${latin1('t.toml', '[node]\n# café\nname = "a"\n')}`);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('t.toml: not UTF-8')]);
  });

  it('a file that is not UTF-8 is refused as a plugin’s manifest', () => {
    mkdirSync(join(folder, 'plugins/mine'), { recursive: true, mode: 0o755 });
    chmodSync(folder, 0o755);
    latin1('plugins/mine/plugin.toml', 'description = "café"\n');
    writeFileSync(join(folder, 'plugins/mine/mine'), '#!/bin/sh\n', { mode: 0o755 });
    expect(() => createPluginFiles(join(folder, 'plugins')).find('mine')).toThrow('plugin.toml is not UTF-8');
  });

  it('a console statement that is not UTF-8 is refused, and one with accents is accepted', async () => {
    const script = latin1('script', 'set team add caf\xe9\n');
    const { exitCode, stderr } = await sh(`triggerfs-cli --socket ${daemon.socket} < ${script}`);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("is not UTF-8: $'set team add caf\\xe9'")]);
    expect(asked()).toEqual([]);
    const { stderr: other } = await sh(`printf 'nonsense °\\n' | triggerfs-cli --socket ${daemon.socket}`);
    expect(other).not.toContain('UTF-8');
    expect(other).toContain('nonsense');
  });

  it('a file that is not UTF-8 is refused as a password', async () => {
    const { exitCode, stderr } = await sh(
      `printf 'caf\\351' | trigger admin init --team t --identity u --password-stdin`,
    );
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('the password on stdin is not UTF-8')]);
    expect(asked()).toEqual([]);
  });
});
