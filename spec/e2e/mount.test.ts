import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../support/etcd.ts';
import { type Services, startServices } from '../support/services.ts';
import { until } from '../support/wait.ts';

const triggerfs = join(import.meta.dirname, '../../bin/triggerfs');

let services: Services;
let mountpoint: string;
let central: string;
let mounted: ReturnType<typeof mount>;

const at = (...names: string[]): string => join(mountpoint, ...names);
const sh = (script: string) =>
  execa('bash', ['-c', script], { cwd: mountpoint, reject: false, timeout: 60_000, env: { LC_ALL: 'C' } });
const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
const status = async (dir: string, name: string) => JSON.parse(await text(at(dir, `.${name}.status`)));

const plugin = (name: string, script: string): void => {
  const folder = join(services.folder, 'plugins', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'plugin.toml'), 'summary = "For the test"\n');
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
};

const mount = (...args: string[]) =>
  execa(
    triggerfs,
    ['-config', services.configure(`mountpoint = "${mountpoint}"\nlogfile = "${services.folder}/fs.log"`), ...args],
    {
      reject: false,
      all: true,
      env: { XDG_STATE_HOME: join(services.folder, 'state') },
    },
  );
const isReady = async (): Promise<boolean> =>
  (await text(join(services.folder, 'fs.log'))).includes('Ready and running');

/** In the foreground, with the trigger file as its log; gives its port. */
const startNginx = async (): Promise<number> => {
  const port = await freePort();
  const folder = join(services.folder, 'nginx');
  mkdirSync(folder);
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log; events {}
http {
  log_format short '"$request" $status °'; access_log ${at('newtrigger', 'log')} short;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server { listen 127.0.0.1:${port}; location / { return 204; } }
}`,
  );
  const nginx = execa('/usr/sbin/nginx', ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')], {
    reject: false,
  });
  onTestFinished(async () => {
    nginx.kill('SIGKILL');
    await nginx;
  });
  await until(async () => (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined))?.status === 204, 'nginx');
  await until(async () => (await text(central)).includes('GET / '), 'its first line');
  writeFileSync(central, '');
  return port;
};

const define = (name: string, settings: object): Promise<unknown> =>
  services.say({
    verb: 'definition.add',
    path: `/newtrigger/${name}`,
    service: 'demoservice',
    visibility: 'team',
    ...settings,
  });

beforeAll(async () => {
  services = await startServices();
  mountpoint = join(services.folder, 'mountpoint');
  central = join(services.folder, 'central.log');
  plugin('run', 'exec sh');
  plugin('append', `cat >> ${central}`);
  plugin('weather', `cat >> ${join(services.folder, 'weather')}`);
  await services.say({ verb: 'directory.add', path: '/newtrigger' });
  await define('demotrigger', { plugin: 'run' });
  await define('log', { plugin: 'append', framing: 'line' });
  await define('sync', { plugin: 'run', delivery: 'sync', timeout_ms: 120_000 });
  await define('hasty', { plugin: 'run', delivery: 'sync', timeout_ms: 1_000 });
  for (const name of ['nowhere', 'never']) await define(name, { plugin: 'nowhere' });
  for (const path of ['/weatherstation', '/weatherstation/rpi']) await services.say({ verb: 'directory.add', path });
  await services.say({
    verb: 'definition.add',
    ...{ path: '/weatherstation/rpi/station1', service: 'demoservice', visibility: 'team', plugin: 'weather' },
  });
  await services.startWorker('demo01');
  mounted = mount();
  await until(isReady, 'the mount');
  await until(() => readdir(at('newtrigger')).catch(() => undefined), 'the tree');
});
afterAll(async () => {
  mounted?.kill();
  await mounted;
  await services?.close();
});

describe('triggerfs', () => {
  it('triggerfs prints the lines that triggerFS documents, and no secret', async () => {
    const said = await text(join(services.folder, 'fs.log'));
    expect(said).toMatch(
      /^triggerfs \(v\S+\)\n\n\*{82}\n\*\*\* Welcome to triggerFS\. A realtime messaging and distributed trigger system\. \*\*\*\n\*{82}\n\n/,
    );
    for (const line of [
      '=== triggerfs module started ===',
      'No JWT provided. Authenticating with login credentials in config.',
      'Successful login.',
      'Started triggerfs.',
      `Serving filesystem in ${mountpoint}`,
      `Log file is ${services.folder}/fs.log`,
      'Ready and running in foreground...',
    ])
      expect(said).toContain(`${line}\n`);
    expect(said).not.toMatch(/eyJ|correct horse/);
  });

  it('triggerfs turns a write into a request, shows the answer, and counts the hit', async () => {
    await sh("echo 'echo from the worker' > newtrigger/demotrigger");
    await until(async () => (await text(at('newtrigger', 'demotrigger'))) === 'from the worker\n', 'the result');
    const said = async () =>
      (await text(join(services.folder, 'fs.log'))).includes('demotrigger: [run@demo01] from the worker\n');
    await until(said, 'the line of the log');
    await until(async () => (await status('newtrigger', 'demotrigger')).waiting === 0, 'the end of the delivery');
    expect(await status('newtrigger', 'demotrigger')).toMatchObject({ hits: 1, last: { exit_code: 0 } });
    await until(async () => (await services.hits('demotrigger')) === 1, 'the hit, for everybody to see');
  });

  it('triggerfs shows within a second what others have made, and makes directories for everybody', async () => {
    await services.say({ verb: 'definition.add', path: '/newtrigger/later', visibility: 'team' });
    await until(async () => (await readdir(at('newtrigger'))).includes('later'), 'the new trigger');
    expect((await sh('mkdir made && mv newtrigger/later made/moved && chmod 600 made/moved && ls made')).stdout).toBe(
      'moved',
    );
    expect(await services.say({ verb: 'directory.list' })).toBeDefined();
    expect((await sh('stat -c %a made/moved; rmdir newtrigger; rmdir made')).stderr).toMatch(/not empty/);
  });

  it('triggerfs sends the documentation’s weather example byte by byte', async () => {
    await sh("echo 'somedata 31F;10°;3.2' > weatherstation/rpi/station1");
    // The shell makes the file before `cat` has anything for it.
    const arrived = async () => (await text(join(services.folder, 'weather'))) !== '';
    await until(arrived, 'the weather');
    const bytes = await readFile(join(services.folder, 'weather'));
    expect(bytes.toString('hex')).toBe('736f6d6564617461203331463b3130c2b03b332e320a');
  });

  it('triggerfs tells a synchronous writer how the request ended', async () => {
    expect((await sh('exec 3<>newtrigger/sync; echo echo mine >&3; cat <&3')).stdout).toBe('mine');
    const closing = (name: string, script: string) =>
      `import os\nfd = os.open("newtrigger/${name}", os.O_WRONLY)\nos.write(fd, b"${script}")\ntry: os.close(fd)\nexcept OSError as e: print(e.strerror)`;
    const python = (name: string, script: string) =>
      execa('python3', ['-c', closing(name, script)], { cwd: mountpoint });
    expect((await python('sync', 'exit 3')).stdout).toBe('Input/output error');
    expect((await python('hasty', 'sleep 60')).stdout).toBe('Connection timed out');
  });

  it('triggerfs takes nginx’s log to another machine across a broker restart: every line, in order, none mixed', async () => {
    const port = await startNginx();
    const ask = async (from: number, to: number): Promise<void> => {
      for (let n = from; n <= to; n++) await fetch(`http://127.0.0.1:${port}/line-${n}`);
    };
    await ask(1, 20);
    await until(async () => (await text(central)).includes('/line-5 '), 'the first lines');
    await services.stopBroker();
    await ask(21, 40);
    expect((await sh('ls newtrigger; echo "while it is away" >> newtrigger/log')).exitCode).toBe(0);
    await services.startBroker();
    await ask(41, 60);
    // nginx has answered before it writes its line.
    await until(async () => (await text(central)).includes('/line-60 HTTP/1.1" 204 °\n'), 'the last line');
    const lines = (await text(central)).split('\n').filter((line) => line !== '' && line !== 'while it is away');
    const wanted = Array.from({ length: 60 }, (_, i) => `"GET /line-${i + 1} HTTP/1.1" 204 °`);
    expect(lines).toEqual(wanted);
  });

  it('a second triggerfs on the same folder is refused, and the first continues', async () => {
    const { exitCode, all } = await mount();
    expect([exitCode, all]).toEqual([
      1,
      expect.stringContaining(`${mountpoint}: another triggerfs serves this folder`),
    ]);
    expect((await sh('ls newtrigger')).exitCode).toBe(0);
  });

  it('triggerfs takes a write immediately after its trigger was made or got its plugin', async () => {
    const said = async (command: string): Promise<[number | undefined, string]> => {
      const { exitCode, stderr } = await sh(command);
      return [exitCode, stderr];
    };
    await define('bare', {});
    await until(async () => (await readdir(at('newtrigger'))).includes('bare'), 'the trigger');
    expect(await said('echo x > newtrigger/bare')).toEqual([
      expect.any(Number),
      expect.stringContaining('No such device'),
    ]);
    await services.say({ verb: 'definition.set', name: 'bare', plugin: 'run' });
    expect(await said('echo true > newtrigger/bare')).toEqual([0, '']);
    await define('sudden', { plugin: 'run' });
    expect(await said('echo true > newtrigger/sudden')).toEqual([0, '']);
    expect((await said('echo true > newtrigger/missing'))[0]).not.toBe(0);
    await until(async () => (await status('newtrigger', 'sudden')).hits === 1, 'the hit');
    for (const name of ['bare', 'sudden']) await services.say({ verb: 'definition.delete', name });
  });

  it('triggerfs reopens its log on SIGHUP and stays mounted', async () => {
    const file = join(services.folder, 'fs.log');
    renameSync(file, `${file}.1`);
    mounted.kill('SIGHUP');
    await until(async () => (await text(file).catch(() => '')).includes('Log file reopened.'), 'the new log file');
    await sh("echo 'echo after the rotation' > newtrigger/demotrigger");
    await until(async () => (await text(file)).includes('after the rotation'), 'output in it');
  });

  it('triggerfs delivers after a kill what was written before, mounts again, and unmounts on TERM', async () => {
    await sh('echo "echo replayed" > newtrigger/nowhere; echo x > newtrigger/never');
    const dead = async (name: string): Promise<boolean> => (await status('newtrigger', name)).dead === 1;
    await until(async () => (await dead('nowhere')) && (await dead('never')), 'the dead letters');
    await services.say({ verb: 'definition.set', name: 'nowhere', plugin: 'run' });
    await services.stopBroker();
    await sh('echo "before the kill" >> newtrigger/log');
    mounted.kill('SIGKILL');
    await mounted;
    writeFileSync(join(services.folder, 'fs.log'), '');
    mounted = mount('-replay');
    await until(isReady, 'the second mount');
    // The broker is still away: the tree is the one that was known last.
    expect(await readdir(mountpoint)).toEqual(['made', 'newtrigger', 'weatherstation']);
    await services.startBroker();
    await until(async () => (await text(central)).endsWith('before the kill\n'), 'the delivery');
    await until(async () => (await text(at('newtrigger', 'nowhere'))) === 'replayed\n', 'the dead letter’s end');
    expect(await status('newtrigger', 'nowhere')).toMatchObject({ waiting: 0, dead: 0, last: { exit_code: 0 } });
    await until(() => dead('never'), 'the other one’s');
    mounted.kill('SIGTERM');
    expect((await mounted).exitCode).toBe(0);
    expect(await readdir(mountpoint)).toEqual([]);
  });

  it('triggerfs says why it cannot mount, also when it should run in the background', async () => {
    const full = join(services.folder, 'plugins');
    for (const flags of [[], ['-background']]) {
      const { exitCode, all } = await mount('-mountpoint', full, ...flags);
      expect({ exitCode, all }).toEqual({
        exitCode: 1,
        all: expect.stringContaining(`triggerfs: ${full}: the folder is not empty`),
      });
    }
  });

  it('triggerfs --daemon continues in the background', async () => {
    const { exitCode, all } = await mount('-background', '-purge');
    expect({ exitCode, all }).toMatchObject({
      exitCode: 0,
      all: expect.stringContaining('Ready and running in background...'),
    });
    expect(await readdir(mountpoint)).toEqual(['made', 'newtrigger', 'weatherstation']);
    expect(all).toContain('Deleted dead letters');
    expect(await status('newtrigger', 'never')).toMatchObject({ hits: 1, dead: 0 });
    const pids = (): Promise<string> =>
      execa('pgrep', ['-f', `triggerfs.js -config ${services.folder}`], { reject: false }).then(({ stdout }) => stdout);
    expect(await pids()).not.toBe('');
    await execa('fusermount', ['-u', mountpoint]);
    await until(async () => (await pids()) === '', 'its end, as somebody else has unmounted it');
  });
});
