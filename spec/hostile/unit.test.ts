import { appendFileSync, chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../support/etcd.ts';
import { createNode, type TestNode } from '../support/node.ts';
import { processesWith } from '../support/processes.ts';
import { password, type ServicesSite, startSite } from '../support/services-site.ts';
import { until } from '../support/wait.ts';

/** What the process says that runs it: its descriptors (3 is the listing's own), limit, score, mask and folder. */
const probe = 'ls /proc/self/fd | tr "\\n" " "; ulimit -Sn; cat /proc/self/oom_score_adj; umask; pwd';
const clean = ['0 1 2 3 777', '0', '0037'];
/** As somebody who is careless, or worse: a secret is open, twice, the limit is low, and the kernel shall take others first. */
const carelessly = (file: string) => [
  'bash',
  '-c',
  'echo -500 > /proc/$$/oom_score_adj; ulimit -Sn 777; umask 0037; exec 9<"$0" 251<"$0"; exec "$@"',
  file,
];

const pids = (): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0);
const descriptors = (pid: number): { readonly fd: string; readonly file: string }[] => {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => ({ fd, file: readlinkSync(`/proc/${pid}/fd/${fd}`) }));
  } catch {
    return []; // ended meanwhile
  }
};
/** Processes that hold the file. */
const holders = (file: string): number[] => pids().filter((pid) => descriptors(pid).some((each) => each.file === file));

const executable = (file: string, script: string): void => {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
};

const persistent = `while read -r line; do
  id=$(printf '%s' "$line" | sed -n 's/^{"run":\\([0-9]*\\).*/\\1/p')
  [ -n "$id" ] || continue
  printf '{"id":%s,"out":"%s","exit":0}\\n' "$id" "$( { ${probe}; } | sed 's/$/|/' | tr -d '\\n')"
done`;

describe('a daemon that was started with open files, a low limit and a score of its own', () => {
  let site: ServicesSite;
  let node: TestNode;
  let secret: string;

  const run = async (...args: string[]): Promise<string[]> => {
    const added = await node.trigger('queue', 'add', ...args);
    expect(added.stderr).toBe('');
    const id = added.stdout.trim();
    await node.trigger('queue', 'wait', id);
    return (await node.trigger('queue', 'cat', id)).stdout.split(/[|\n]/);
  };

  beforeAll(async () => {
    site = await startSite();
    const folder = site.brokers[0]?.node.dir ?? '';
    secret = join(folder, 'secret');
    writeFileSync(secret, 'of somebody else', { mode: 0o600 });
    const plugins = join(folder, 'plugins');
    executable(join(plugins, 'said/said'), persistent);
    writeFileSync(join(plugins, 'said/plugin.toml'), 'summary = "For the test"\nmode = "persistent"\n');
    executable(join(plugins, 'probe/probe'), probe);
    writeFileSync(join(plugins, 'probe/plugin.toml'), 'summary = "For the test"\n');
    executable(join(plugins, 'puppet/puppet'), 'exit 1');
    writeFileSync(join(plugins, 'puppet/plugin.toml'), 'summary = "For the test"\ndriver = "puppet"\n');
    executable(join(folder, 'puppet'), `{ ${probe}; } > ${folder}/asked; exit 1`);
    node = createNode({
      name: 'careless',
      etcd: [site.etcd.endpoint],
      watch: `run_cmd = "${join(folder, 'puppet')} agent"`,
      plugins,
      through: carelessly(secret),
    });
    appendFileSync(
      node.configFile,
      `[main]\nteam = "team1"\nidentity = "hp"\nsecret = "${password}"
[broker]\nlisten = "tcp://127.0.0.1:${await freePort()}"
[triggerfs]\nmountpoint = "${join(node.dir, 'mnt')}"\n`,
    );
    await node.start();
  });
  afterAll(async () => {
    await node?.remove();
    await site?.remove();
  });

  it('a job inherits none of the daemon’s open files, limits or scores, in a fresh runner or a used one', async () => {
    for (const _ of ['fresh', 'again']) {
      expect((await run('--plugin', 'probe')).slice(0, 3)).toEqual(clean);
      expect(processesWith('programs/runner.js').length).toBeGreaterThan(0);
    }
  });

  it('a persistent plugin inherits none of the daemon’s open files, limits or scores', async () => {
    expect((await run('--plugin', 'said')).slice(0, 4)).toEqual([...clean, '/']);
  });

  it('a query to Puppet inherits none of the daemon’s open files, limits or scores, and starts in the root folder', async () => {
    await run('--plugin', 'puppet');
    const asked = readFileSync(join(secret, '../asked'), 'utf8').split('\n');
    expect(asked[0]).toMatch(/^0 1 2 3 /);
    expect(asked[3]).toBe('/');
  });

  it('the daemon alone holds the files that it was started with, while its mount, runners and plugins live', async () => {
    await until(() => node.log().some(({ msg }) => msg === 'Mounted the trigger files'), 'the mount');
    expect(processesWith('programs/mount.js').length).toBeGreaterThan(0);
    expect(holders(secret)).toEqual([node.pid()]);
  });

  it('the daemon itself has no file open that a child would inherit, with broker, journal and mount', () => {
    const inheritable = descriptors(node.pid())
      .filter(({ fd }) => Number(fd) > 2)
      .filter(({ fd }) => {
        const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/${node.pid()}/fdinfo/${fd}`, 'latin1'))?.[1];
        return (Number.parseInt(flags ?? '', 8) & 0o2000000) === 0;
      });
    expect(inheritable).toEqual([]);
  });
});

it('an embedded etcd holds no file that the daemon was started with', async () => {
  const folder = join(import.meta.dirname, '../../package.json');
  const node = createNode({
    name: 'embedded',
    etcd: [`http://127.0.0.1:${await freePort()}`],
    through: carelessly(folder),
  });
  onTestFinished(() => node.remove());
  writeFileSync(node.configFile, readFileSync(node.configFile, 'utf8').replace('[etcd]', '[etcd]\nembedded = true'));
  await node.start();
  const [etcd = 0] = processesWith(join(node.dir, 'state/etcd'));
  expect(readlinkSync(`/proc/${etcd}/cwd`)).toBe('/');
  expect(holders(folder).filter((pid) => pid !== node.pid())).toEqual([]);
});
