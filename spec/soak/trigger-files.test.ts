/** E10: fifty writes a second to a mount, for as long as SOAK_SECONDS says; nothing of it stays. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it, onTestFinished } from 'vitest';
import { openFiles } from '../support/processes.ts';
import { startServices } from '../support/services.ts';
import { until } from '../support/wait.ts';

const seconds = Number(process.env['SOAK_SECONDS'] ?? 240);
const perSecond = 50;
const triggerfs = join(import.meta.dirname, '../../bin/triggerfs');

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
const measured = (pid: number) => ({
  rssKiB: Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
  files: openFiles(pid),
  threads: readdirSync(`/proc/${pid}/task`).length,
});

it(
  `a mount keeps its memory, open files and threads through ${seconds} s of ${perSecond} writes a second`,
  async () => {
    const services = await startServices();
    onTestFinished(() => services.close());
    const mountpoint = join(services.folder, 'mnt');
    const plugin = join(services.folder, 'plugins/same');
    mkdirSync(plugin, { recursive: true });
    writeFileSync(join(plugin, 'plugin.toml'), 'summary = "For the test"\n');
    writeFileSync(join(plugin, 'same'), '#!/bin/sh\nexec cat\n', { mode: 0o755 });
    await services.say({ verb: 'directory.add', path: '/soak' });
    await services.say({
      verb: 'definition.add',
      ...{ path: '/soak/file', plugin: 'same', service: 'demoservice', visibility: 'team' },
    });
    await services.startWorker('demo01');
    const mounted = execa(triggerfs, ['-config', services.configure(`mountpoint = "${mountpoint}"`)], {
      reject: false,
      stdio: 'ignore',
      env: { XDG_STATE_HOME: join(services.folder, 'state') },
    });
    onTestFinished(async () => {
      mounted.kill();
      await mounted;
    });
    const file = join(mountpoint, 'soak/file');
    await until(() => stat(file).catch(() => undefined), 'the mount', 20_000);
    const pids = [mounted.pid ?? 0, ...childrenOf(mounted.pid ?? 0)];
    expect(pids).toHaveLength(2);
    const status = async () => JSON.parse(await readFile(join(mountpoint, 'soak/.file.status'), 'utf8'));
    const write = async (count: number): Promise<void> => {
      const script = `import time
for n in range(${count}):
    with open("${file}", "w") as f: f.write("31F;10°;%d" % n)
    time.sleep(1 / ${perSecond})`;
      await execa('python3', ['-c', script]);
      await until(async () => (await status()).waiting === 0, 'the deliveries', 120_000);
    };
    // What is made once is made by then.
    const first = Math.ceil((seconds * perSecond) / 3);
    await write(first);
    const before = pids.map(measured);
    await write(2 * first);
    const after = pids.map(measured);
    expect(await status()).toMatchObject({ hits: 3 * first, waiting: 0, dead: 0 });
    console.log(JSON.stringify({ writes: 3 * first, before, after }));
    for (const [at, { rssKiB, files, threads }] of after.entries()) {
      expect(rssKiB).toBeLessThan((before[at]?.rssKiB ?? 0) + 15_000);
      expect(files).toBeLessThanOrEqual((before[at]?.files ?? 0) + 2);
      expect(threads).toBeLessThanOrEqual((before[at]?.threads ?? 0) + 2);
    }
  },
  (seconds * 3 + 300) * 1_000,
);
