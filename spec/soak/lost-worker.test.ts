/** A worker that is killed while it runs what was written to trigger files. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it, onTestFinished } from 'vitest';
import { processesWith } from '../support/processes.ts';
import { startServices } from '../support/services.ts';
import { until } from '../support/wait.ts';

const triggerfs = join(import.meta.dirname, '../../bin/triggerfs');

it('a lost worker costs a synchronous writer EIO, and makes a dead letter, which can be retried, of an asynchronous message', async () => {
  const services = await startServices();
  onTestFinished(() => services.close());
  const mountpoint = join(services.folder, 'mnt');
  const pids = join(services.folder, 'pids');
  writeFileSync(pids, '');
  const running = (): number[] => readFileSync(pids, 'utf8').split('\n').filter(Boolean).map(Number);
  onTestFinished(async () => {
    for (const pid of running()) process.kill(pid, 'SIGKILL');
    await until(() => processesWith(join(services.folder, 'demo01/')).length === 0, 'the end of their runners', 60_000);
  });
  const plugin = join(services.folder, 'plugins/once');
  mkdirSync(plugin, { recursive: true });
  writeFileSync(join(plugin, 'plugin.toml'), 'summary = "Ends when it is started for the third time"\n');
  const script = `#!/bin/sh\n[ $(wc -l < ${pids}) -lt 2 ] || exec echo replayed\necho $$ >> ${pids}\nexec sleep 600\n`;
  writeFileSync(join(plugin, 'once'), script, { mode: 0o755 });
  await services.say({ verb: 'directory.add', path: '/d' });
  for (const delivery of ['async', 'sync'])
    await services.say({
      verb: 'definition.add',
      ...{ path: `/d/${delivery}`, delivery, plugin: 'once', service: 'demoservice', visibility: 'team' },
    });
  await services.startWorker('demo01');
  const config = services.configure(`mountpoint = "${mountpoint}"`);
  const mount = async (...flags: string[]) => {
    const mounted = execa(triggerfs, ['-config', config, ...flags], {
      reject: false,
      stdio: 'ignore',
      env: { XDG_STATE_HOME: join(services.folder, 'state') },
    });
    const stop = async (): Promise<void> => {
      mounted.kill();
      await mounted;
    };
    onTestFinished(stop);
    await until(() => stat(join(mountpoint, 'd/async')).catch(() => undefined), 'the mount', 60_000);
    return stop;
  };
  const status = async () => JSON.parse(await readFile(join(mountpoint, 'd/.async.status'), 'utf8'));
  const write = (file: string) => execa('dd', [`of=${mountpoint}/d/${file}`], { input: 'x', reject: false });

  const stop = await mount();
  expect((await write('async')).exitCode).toBe(0);
  const synchronous = write('sync');
  await until(() => running().length === 2, 'both jobs', 60_000);
  await services.killWorker('demo01');
  expect((await synchronous).stderr).toContain('Input/output error');
  await until(async () => (await status()).dead === 1, 'the dead letter', 60_000);
  expect((await status()).dead_reason).toContain('demo01 was lost; it may have run there');

  await services.startWorker('demo02');
  await stop();
  await mount('-replay');
  const answer = () => readFile(join(mountpoint, 'd/async'), 'utf8');
  await until(async () => (await answer()) === 'replayed\n', 'its second end', 60_000);
  expect(await status()).toMatchObject({ waiting: 0, dead: 0 });
}, 300_000);
