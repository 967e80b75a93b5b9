import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPluginFiles } from '../../src/adapters/files/plugin-files.ts';
import { valueProblems } from '../../src/plugin/argument-rule.ts';
import { hostileValues } from '../support/hostile-values.ts';
import { root as checkout } from '../support/node.ts';
import { planOf } from '../support/plans.ts';
import { temporaryRunner } from '../support/processes.ts';
import { announced } from '../support/random.ts';
import { runPlugin, shippedPlugin, startPlugin } from '../support/shipped-plugins.ts';

const names = createPluginFiles(join(checkout, 'plugins')).names();
/** They run whatever they are told to: what they are given is looked at in other tests. */
const runAnything = ['command', 'puppet'];

let dir: string;
beforeAll(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'triggerd-fuzz-')));
  layOut();
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const secret = 'the canary sings';
const isRoot = process.getuid?.() === 0;

/** What a plugin may work in, and beside it what no argument may reach. */
const layOut = (): void => {
  for (const folder of ['root/real', 'outside', 'rootless', 'state', 'cwd'])
    mkdirSync(join(dir, folder), { recursive: true });
  for (const file of ['root/ok', 'outside/secret', 'cwd/decoy']) writeFileSync(join(dir, file), `${secret}\n`);
  writeFileSync(join(dir, 'root/ok'), 'fine\n');
  execFileSync('mkfifo', [join(dir, 'outside/fifo'), join(dir, 'root/fifo')]);
  const links = {
    out: '../outside',
    in: 'real',
    loop: 'loop',
    'link-to-secret': '../outside/secret',
    'link-to-nothing': '../outside/made',
    'link-to-device': '../outside/device',
  };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(dir, 'root', name));
  // A device without a driver: to open it fails with ENXIO, so whoever opens it says so.
  if (isRoot) for (const at of ['outside', 'root']) execFileSync('mknod', [join(dir, at, 'device'), 'c', '240', '0']);
};

/** What lasts until a limit of its job ends it, which is another test's. */
const endless = ['file/stream follow=true', 'filter pattern=(((((x{1,250}){1,250}){1,250}){1,250}){1,250})'];

const opened = 'No such device or address';

/** Arguments with which it works, and what its owner has fixed so that there is something to break out of. */
const working: Readonly<
  Record<
    string,
    { args: Record<string, string>; fixed?: Record<string, string>; payload?: string; env?: Record<string, string> }
  >
> = {
  chain: { args: { path: '/nowhere' } },
  echo: { args: {} },
  'echo/fast': { args: {}, payload: '{"run":1,"args":{"text":"x"},"payload":""}\n' },
  'file/stream': { args: { path: 'DIR/root/ok' }, fixed: { root: 'DIR/root' } },
  filter: { args: { pattern: 'x' } },
  flipflop: { args: {} },
  forward: { args: { url: 'http://127.0.0.1:9/' } },
  log: { args: { path: 'DIR/root/log', text: 'x' }, fixed: { root: 'DIR/root' } },
  monitor: { args: {} },
  // Nobody has this name.
  'process/kill': { args: { name: 'trg-nobody-at-all' }, env: { TRIGGERD_NOOP: '1' } },
  service: { args: { unit: 'trg-nobody.service' }, env: { TRIGGERD_NOOP: '1' } },
  'system/copy': { args: { path: 'DIR/root/copy', text: 'x' }, fixed: { root: 'DIR/root' } },
};

const below = (values: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.replace('DIR', dir)]));

/** Names, kinds, contents of what is beside the root. */
const canaries = (): string => {
  const facts = ['outside', 'rootless', 'cwd', '.'].flatMap((folder) =>
    readdirSync(join(dir, folder))
      .sort()
      .map((name) => {
        const path = join(dir, folder, name);
        const { mode, uid, gid, size } = lstatSync(path);
        const isFile = (mode & 0o170000) === 0o100000;
        return `${folder}/${name} ${mode} ${uid}:${gid} ${isFile ? `${size} ${readFileSync(path, 'utf8')}` : ''}`;
      }),
  );
  return facts.join('\n');
};

const exitCodes: Readonly<Record<string, readonly number[]>> = { chain: [1, 2, 3, 4], service: [0, 1, 2, 3, 4, 5] };

describe.each(names.filter((name) => !runAnything.includes(name)))('%s', (name) => {
  const { manifest } = shippedPlugin(name);
  const { args = {}, fixed, payload = '', env = {} } = working[name] ?? {};

  it.each(Object.keys(manifest.args))(
    'a plugin refuses its argument %s or works within its bounds, whatever the argument holds',
    async (argument) => {
      const { [argument]: _tried, ...others } = below(fixed);
      const rule = shippedPlugin(name, others).manifest.args[argument];
      const random = announced(`${name} ${argument}`);
      const all = hostileValues(random, dir).filter(
        (value) =>
          rule !== undefined &&
          rule.fixed === null &&
          valueProblems(rule, value).length === 0 &&
          !endless.includes(`${name} ${argument}=${value}`),
      );
      // Each path is tried, because each is a way of its own; where Node.js starts for each, a few have to do.
      const most = argument === 'path' ? all.length : ['chain', 'forward'].includes(name) ? 4 : 10;
      const values = all.length <= most ? all : Array.from({ length: most }, () => random.pick(all));
      const before = canaries();
      for (const value of values) {
        const given = { ...below(args), [argument]: value };
        // chain takes one of two ways to say where to.
        if (name === 'chain' && argument === 'service') delete given['path'];
        const run = startPlugin(name, {
          args: given,
          fixed: others,
          payload,
          cwd: join(dir, 'cwd'),
          env: { TRIGGERD_STATE: join(dir, 'state'), TRIGGERD_CONFIG: join(dir, 'none.toml'), ...env },
        });
        const watch = setTimeout(() => run.kill('SIGKILL'), 60_000);
        const { exitCode, stdout, stderr, signal } = await run;
        clearTimeout(watch);
        const what = JSON.stringify({ [argument]: value.slice(0, 200) });
        expect([what, signal, exitCodes[name] ?? [0, 1, 2]]).toEqual([
          what,
          undefined,
          expect.arrayContaining([exitCode]),
        ]);
        expect([what, stdout.includes(secret), `${stdout}${stderr}`.includes(opened)]).toEqual([what, false, false]);
        expect(stdout.length + stderr.length).toBeLessThan(200_000);
      }
      expect(canaries()).toBe(before);
      expect(readlinkSync(join(dir, 'root/link-to-nothing'))).toBe('../outside/made');
    },
  );
});

describe('the manifests of the shipped plugins', () => {
  /** Any text is fine for these: it is printed, written or sent, and nothing else. */
  const free = [
    'chain text',
    'command command',
    'echo text',
    'echo/fast text',
    'filter text',
    'forward text',
    'log text',
    'system/copy text',
  ];

  it('the manifests of the shipped plugins bound every argument that is not plain text', () => {
    const unbounded = names.flatMap((name) =>
      Object.entries(shippedPlugin(name).manifest.args)
        .filter(([, { kind, min, max, pattern, fixed }]) => {
          const hasRange = kind === 'integer' && min !== undefined && max !== undefined;
          return !hasRange && pattern === null && fixed === null;
        })
        .map(([argument]) => `${name} ${argument}`),
    );
    expect(unbounded).toEqual(free);
  });

  it('the manifests of the shipped plugins take more than 8 KiB for plain text only', () => {
    for (const name of names)
      for (const [argument, rule] of Object.entries(shippedPlugin(name).manifest.args))
        if (!free.includes(`${name} ${argument}`) && rule.fixed === null)
          for (const one of ['a', '1', '/', '/a', 'a=', ',', 'http://a'])
            expect([name, argument, valueProblems(rule, `${one[0]}${one.slice(1)}${'a'.repeat(9000)}`)]).not.toEqual([
              name,
              argument,
              [],
            ]);
  });

  it('the manifests of the shipped plugins bound memory and processor time, except where a plugin runs any command', () => {
    const withoutBounds = names.filter((name) => {
      const { max_memory, max_cpu, mode } = shippedPlugin(name).manifest;
      // The processor time of a persistent one is that of all its jobs.
      return max_memory === undefined || (mode === 'exec' && max_cpu === undefined);
    });
    expect(withoutBounds).toEqual(runAnything);
  });
});

describe.runIf(isRoot)('a device', () => {
  const at = () =>
    ['outside/device', 'root/device', 'root/link-to-device', 'root/out/device'].map((path) => join(dir, path));
  it.each([
    ['chain', 1],
    ['file/stream', 1],
    ['log', 1],
    ['monitor', 1],
    ['system/copy', 1],
  ])('a device is not opened by %s, not even to examine it', async (name, code) => {
    for (const path of at()) {
      const fixed = 'root' in shippedPlugin(name).manifest.args ? { fixed: { root: dir } } : {};
      const { exitCode, stdout, stderr } = await runPlugin(name, { args: { path }, payload: 'x', ...fixed });
      expect([path, exitCode, stdout]).toEqual([path, code, '']);
      expect(stderr).not.toContain(opened);
      expect(stderr).toMatch(
        /is no trigger file|is a folder or a device|is no regular file|is neither a file nor a folder|is a link or a device/,
      );
    }
  });
});

describe('system/copy', () => {
  it.each([
    '4294967295',
    '4294967296',
    '4294967297:0',
    '0:4294967296',
    '00',
    '01:1',
    ':4294967295',
    '18446744073709551616',
  ])('system/copy gives nothing to the user or group %s, which the kernel takes for another one', async (owner) => {
    const path = join(dir, 'root/given');
    expect(await runPlugin('system/copy', { args: { path, owner, text: 'x' } })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('is no number of a user or group'),
    });
    expect(readdirSync(join(dir, 'root'))).not.toContain('given');
  });
});

describe('filter', () => {
  it('filter ends at its limit of memory with a pattern that would take all memory of the machine', async () => {
    const { executable, manifest } = shippedPlugin('filter');
    const folder = join(dir, 'job');
    const plan = planOf([executable], {
      env: {
        ...{
          PATH: '/usr/bin:/bin',
          TRIGGER_ARG_PATTERN: '((((x{1,250}){1,250}){1,250}){1,250})',
          TRIGGER_ARG_TEXT: 'x',
        },
        ...{ TRIGGER_ARG_INVERT: 'false', TRIGGER_ARG_IGNORE_CASE: 'false' },
      },
      limits: { memoryBytes: manifest.max_memory, cpuMs: manifest.max_cpu },
    });
    expect(await temporaryRunner().run(folder, plan)).toMatchObject({ exit: { kind: 'exited', code: 2 } });
    expect(readFileSync(join(folder, 'output'), 'utf8')).toMatch(/memory exhausted/i);
    rmSync(folder, { recursive: true });
  });
});

describe('flipflop', () => {
  it('flipflop keeps no more switches than a folder can hold, and continues with those that it has', async () => {
    const state = join(dir, 'switches');
    mkdirSync(state, { mode: 0o700 });
    for (let at = 0; at < 1000; at++) writeFileSync(join(state, `s${at}`), '0\n');
    const flip = (name: string) => runPlugin('flipflop', { args: { name }, env: { TRIGGERD_STATE: state } });
    expect(await flip('s7')).toMatchObject({ exitCode: 0, stdout: '1\n' });
    expect(await flip('another')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('1000 switches') });
    rmSync(state, { recursive: true });
  });
});

describe('service', () => {
  it.each([
    'poweroff.target',
    'reboot.target',
    'systemd-reboot.service',
    'rescue.target',
    'runlevel0.target',
    'suspend.target',
  ])('service does not start %s, which ends or suspends the machine', async (unit) => {
    for (const action of ['start', 'restart', 'reload-or-restart'])
      expect(await runPlugin('service', { args: { unit, action }, env: { TRIGGERD_NOOP: '1' } })).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('ends or suspends the whole machine'),
      });
  });
});
