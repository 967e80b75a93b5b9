import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobView } from '../../src/api/contract/jobs.ts';
import type { PluginView } from '../../src/api/contract/plugins.ts';
import { bootContainer, type Container } from '../support/container.ts';
import { root } from '../support/node.ts';
import { until } from '../support/wait.ts';

const newVersion = '99.0.0';

/** Gives the path of the built package. The second one need not be small. */
const build = async (args: readonly string[], env: Record<string, string> = {}): Promise<string> => {
  const { stdout } = await execa(join(root, 'scripts/package'), args, { cwd: root, env });
  return join(root, stdout);
};

const oldConfiguration = '[etcd]\n#endpoints = ["http://127.0.0.1:2379"]\n';

/** The package as an earlier version had it: an etcd of the machine, in a conffile. */
const earlier = async (file: string): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'triggerd-earlier-'));
  try {
    const tree = join(folder, 'tree');
    await execa('dpkg-deb', ['-R', file, tree]);
    mkdirSync(join(tree, 'etc/triggerd'), { recursive: true });
    writeFileSync(join(tree, 'etc/triggerd/triggerd.toml'), oldConfiguration);
    writeFileSync(join(tree, 'DEBIAN/conffiles'), '/etc/triggerd/triggerd.toml\n');
    await execa('sed', ['-i', 's/^Version: .*/Version: 0.0.1/', join(tree, 'DEBIAN/control')]);
    await execa('dpkg-deb', ['--root-owner-group', '-Zgzip', '-z1', '-b', tree, join(folder, 'old.deb')]);
    rmSync(tree, { recursive: true });
    return join(folder, 'old.deb');
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
};

let first: string;
let second: string;
let withConffile: string;
beforeAll(async () => {
  first = await build([]);
  second = await build([newVersion], { DPKG_DEB_COMPRESSOR_TYPE: 'gzip', DPKG_DEB_COMPRESSOR_LEVEL: '1' });
  withConffile = await earlier(second);
}, 1_800_000);
afterAll(() => withConffile && rmSync(dirname(withConffile), { recursive: true }));

it('lintian finds only what an override with its reason allows', async () => {
  const { stdout } = await execa('lintian', ['--allow-root', '--fail-on', 'error,warning', first]);
  expect(stdout).toBe('');
}, 600_000);

/** As its packages bring them; libfuse of this host serves both releases. */
const libfuse = '/lib/x86_64-linux-gnu/libfuse.so.2';
const fuse = {
  '/dev/fuse': '/dev/fuse',
  '/usr/bin/fusermount': realpathSync('/usr/bin/fusermount'),
  [libfuse]: realpathSync(libfuse),
};

/** From an empty Debian to an empty Debian: each step finds what the one before left. */
describe.each(['bookworm', 'trixie'] as const)(
  'the package on %s',
  (release) => {
    let host: Container;
    let before: string;

    const sh = (script: string) => host.must('sh', '-c', script);
    const apt = (...args: string[]) =>
      host.must('env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', '-y', ...args);
    const install = (file: string) => apt('install', `/root/${basename(file)}`);
    const trigger = (...args: string[]) => host.run('trigger', ...args);
    const info = async (id: string): Promise<JobView> =>
      JSON.parse((await trigger('queue', 'info', id, '--json')).stdout);
    const add = async (script: string) => (await host.must('trigger', 'queue', 'add', '--', 'sh', '-c', script)).trim();
    const running = (id: string) => until(async () => (await info(id)).state === 'running', `job ${id} to run`, 30_000);
    /** Runs until somebody creates the file. */
    const addWaiting = async (gate: string, end: string): Promise<string> => {
      const id = await add(`until [ -e ${gate} ]; do sleep 0.1; done; ${end}`);
      await running(id);
      return id;
    };
    const isActive = async () => (await host.run('systemctl', 'is-active', 'triggerd')).stdout;
    const jobUnits = async () => (await sh("systemctl list-units --plain --no-legend 'triggerd-job-*'")).trim();

    /** Debian has files of that name, too. */
    const namedAfterUs = () => sh("find / -xdev -name '*trigger*' -not -path '/root/*' -not -path '/proc/*' | sort");

    beforeAll(async () => {
      host = await bootContainer(release, undefined, { checkout: false, shown: fuse });
      for (const file of [first, second]) host.copyIn(file, `/root/${basename(file)}`);
      before = await namedAfterUs();
    }, 300_000);
    afterAll(() => host?.stop(), 60_000);

    it('the package installs an enabled, running daemon with its own Node.js, open to its group', async () => {
      await install(first);
      expect(await isActive()).toBe('active');
      expect((await host.run('systemctl', 'is-enabled', 'triggerd')).stdout).toBe('enabled');
      expect(await sh('readlink /proc/$(systemctl show -P MainPID triggerd)/exe')).toBe(
        '/usr/lib/triggerd/runtime/bin/node',
      );
      expect(
        await sh('stat -c "%a %U %G %n" /run/triggerd/triggerd.sock /etc/triggerd/triggerd.toml /var/lib/triggerd'),
      ).toBe(
        [
          '660 root triggerd /run/triggerd/triggerd.sock',
          '640 root triggerd /etc/triggerd/triggerd.toml',
          '700 root root /var/lib/triggerd',
        ].join('\n'),
      );
      expect((await trigger('config', 'check')).stdout).toBe('/etc/triggerd/triggerd.toml: ok');
      await sh(
        'cd /usr/share && ls bash-completion/completions/trigger zsh/vendor-completions/_trigger fish/vendor_completions.d/trigger.fish',
      );
    });

    it('the package starts an embedded etcd that asks for a certificate and leaves port 2379 free', async () => {
      const nodes = async () => (await trigger('nodes')).stdout;
      await until(async () => / present /.test(await nodes()), 'the node to be present', 60_000);
      expect((await trigger('doctor')).stdout).toMatch(/^ok +etcd +https:\/\/127\.0\.0\.1:12379: /m);
    });

    it('the package’s plugins need nothing else, and new plugins can be made from it', async () => {
      for (const language of ['sh', 'node'])
        await host.must('trigger', 'plugin', 'new', `new/${language}`, '--lang', language);
      const names = JSON.parse(await host.must('trigger', 'plugin', 'list', '--json')).map(
        ({ name }: PluginView) => name,
      );
      expect(names).toEqual(expect.arrayContaining(['forward', 'system/copy', 'new/node', 'new/sh']));
      // There is no Puppet.
      for (const name of names.filter((each: string) => each !== 'puppet'))
        expect([name, await trigger('plugin', 'test', name)]).toMatchObject([name, { exitCode: 0 }]);
      await sh('rm -rf /usr/lib/triggerd/plugins/new /tmp/triggerd-plugin-test* /var/log/triggerd-plugin-test*');
    });

    it('the installed daemon runs a job and talks to etcd as the administrator has configured it', async () => {
      await sh(`printf '[node]\\nname = "lb01"\\n[etcd]\\nembedded = true\\n' > /etc/triggerd/triggerd.toml`);
      await host.must('systemctl', 'restart', 'triggerd');
      const id = await add('echo hello; exit 3');
      expect((await trigger('queue', 'wait', id)).exitCode).toBe(3);
      expect((await trigger('queue', 'cat', id)).stdout).toBe('hello');
      expect((await trigger('nodes')).stdout).toMatch(/lb01 +present/);
      expect((await trigger('plugin', 'list')).stdout).toMatch(/^puppet /m);
    });

    it('an upgrade leaves a running job alone; the new version collects its result and keeps the configuration', async () => {
      const id = await addWaiting('/root/gate-1', 'echo end; exit 7');
      await install(second);
      expect((await trigger('--version')).stdout).toBe(newVersion);
      expect(await isActive()).toBe('active');
      expect(await info(id)).toMatchObject({ state: 'running', attempt: 1 });
      await host.must('touch', '/root/gate-1');
      expect((await trigger('queue', 'wait', id)).exitCode).toBe(7);
      expect((await trigger('queue', 'cat', id)).stdout).toBe('end');
      expect(await sh('grep -c lb01 /etc/triggerd/triggerd.toml; stat -c "%a %G" /etc/triggerd/triggerd.toml')).toBe(
        '1\n640 triggerd',
      );
    });

    it('a job can upgrade the package of its own daemon', async () => {
      const id = await add(
        `DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --reinstall /root/${basename(second)}`,
      );
      await until(async () => (await info(id).catch(() => undefined))?.state === 'finished', 'the job to end', 100_000);
      expect(await info(id)).toMatchObject({ result: 'succeeded', attempt: 1 });
    });

    it('an upgrade names the process that holds a trigger file of the old mount, and says what to do', async () => {
      await sh(`mkdir /mnt/triggerfs; cp /etc/triggerd/triggerd.toml /root/before.toml; cat >> /etc/triggerd/triggerd.toml <<'END'
[broker]
listen = "tcp://127.0.0.1:5555"
[main]
team = "team1"
identity = "hp"
secret = "correct horse battery"
[triggerfs]
mountpoint = "/mnt/triggerfs"
END
        systemctl restart triggerd
        echo 'correct horse battery' | trigger admin init --team team1 --identity hp --password-stdin
        trigger service add demo; trigger directory add /web
        trigger definition add /web/access.log --plugin forward --service demo
        systemctl restart triggerd`);
      const hold = 'until sleep 1000 >> /mnt/triggerfs/web/access.log; do sleep 0.1; done';
      await sh(`systemd-run --quiet --unit=holder sh -c '${hold}'`);
      const pidOf = async () => (await host.run('pgrep', '-x', '-f', 'sleep 1000')).stdout;
      const pid = await until(async () => (await pidOf()) || undefined, 'the holder', 60_000);
      const upgraded = async () => {
        // Without a terminal of apt's own, which cuts and colours the lines.
        const plain = ['-o', 'Dpkg::Use-Pty=0'];
        const command = ['apt-get', '-qq', '-y', ...plain, 'install', '--reinstall', `/root/${basename(second)}`];
        const { exitCode, stdout, stderr } = await host.run('env', 'DEBIAN_FRONTEND=noninteractive', ...command);
        expect([exitCode, stderr]).toEqual([0, expect.any(String)]);
        return `${stdout}\n${stderr}`;
      };
      const held = `sleep \\(pid ${pid}\\) has .*/web/access\\.log open on .*\\n +→ Make the program reopen its files`;
      expect(await upgraded()).toMatch(new RegExp(`^warning +FUSE +${held}`, 'm'));
      await sh('systemctl stop holder; cp /root/before.toml /etc/triggerd/triggerd.toml; systemctl restart triggerd');
      expect(await upgraded()).not.toContain('warning');
      await sh('rmdir /mnt/triggerfs');
    });

    it('a removal leaves a running job alone, and what the node owes waits for the next installation', async () => {
      const job = await addWaiting('/root/gate-2', 'exit 8');
      await apt('remove', 'triggerd');
      expect(await isActive()).not.toBe('active');
      expect((await host.run('sh', '-c', 'command -v trigger triggerd')).stdout).toBe('');
      await host.must('touch', '/root/gate-2');
      await until(async () => (await jobUnits()) === '', 'the job to end', 30_000);
      await install(second);
      expect((await trigger('queue', 'wait', job)).exitCode).toBe(8);
      expect(await info(job)).toMatchObject({ result: 'failed', exit_code: 8, attempt: 1 });
    });

    it('the package has a unit for a worker, whose state lies beside the daemon’s', async () => {
      await sh(`mkdir -p /root/precious /var/lib/triggerfs/triggerd /etc/systemd/system/triggerfs-worker@alone.service.d
        echo kept > /root/precious/file; ln -s /root/precious /var/lib/triggerfs/triggerd/link
        printf '[Service]\\nType=exec\\nExecStart=\\nExecStart=/bin/sh -c "touch /var/lib/triggerfs-worker/triggerd; sleep 1000"\\n' \
          > /etc/systemd/system/triggerfs-worker@alone.service.d/alone.conf
        systemctl daemon-reload && systemctl start triggerfs-worker@alone`);
      await until(async () => (await host.run('ls', '/var/lib/triggerfs-worker/triggerd')).exitCode === 0, 'its file');
      await sh('rm -r /etc/systemd/system/triggerfs-worker@alone.service.d');
    });

    it('a purge waits for a running job to end cleanly, and leaves no file', async () => {
      await addWaiting('/root/gate-3', 'touch /root/ended');
      await apt('purge', 'triggerd');
      // As a worker and trigger files of their own units leave them.
      expect((await host.run('systemctl', 'is-active', 'triggerfs-worker@alone')).stdout).not.toBe('active');
      expect(await sh('cat /root/precious/file')).toBe('kept');
      await host.must('touch', '/root/gate-3');
      await until(async () => (await jobUnits()) === '', 'the job to end', 30_000);
      await sh('test -e /root/ended');
      expect(await namedAfterUs()).toBe(before);
      expect((await host.run('getent', 'group', 'triggerd')).stdout).toBe('');
      expect((await sh("systemctl list-units --plain --no-legend 'triggerd*'")).trim()).toBe('');
      expect((await host.run('pgrep', '-f', '/usr/lib/triggerd|/usr/bin/etcd')).stdout).toBe('');
    });

    it('an upgrade keeps an unchanged configuration that an old version had as a conffile', async () => {
      host.copyIn(withConffile, '/root/old.deb');
      await apt('install', '/root/old.deb');
      await install(second);
      expect(await sh('cat /etc/triggerd/triggerd.toml')).toBe(oldConfiguration.trim());
      expect(await isActive()).toBe('active');
      await apt('purge', 'triggerd');
      expect(await namedAfterUs()).toBe(before);
    });

    it('the package installs again after a purge, and does not start where the host’s policy forbids it', async () => {
      await sh("printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d");
      await install(first);
      expect(await isActive()).toBe('inactive');
      await host.must('systemctl', 'start', 'triggerd');
      expect(JSON.parse((await trigger('queue', '--json')).stdout)).toEqual([]);
    });
  },
  180_000,
);
