import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JobView } from '../../src/api/contract/jobs.ts';
import { bootContainer, type Container } from '../support/container.ts';
import { root } from '../support/node.ts';
import { until } from '../support/wait.ts';

const config = `[node]
name = "lb01"
[etcd]
embedded = true
[watch]
run_cmd = "true"
[plugins]
path = "/opt/triggerd/plugins"
[jobs]
grace = "2s"
max_memory = "256MiB"
max_processes = 200
max_open_files = 5000
`;

/** The same without limits; the machine's name is Puppet's. */
const plainConfig = `[etcd]
embedded = true
[watch]
run_cmd = "true"
[plugins]
path = "/srv/plugins"
`;

/** What a process finds that the daemon's own must not shape. The first line says where it runs. */
const probe = `#!/bin/sh
sed -n 's/.*name=systemd:.*\\/\\([a-z]*-[a-z]*\\).*[.]service/in \\1/p' /proc/self/cgroup
grep -E '^(CapBnd|CapEff|NoNewPrivs|Seccomp_filters|SigIgn|SigBlk):' /proc/self/status | tr '\\t' ' '
ls /proc/self/fd | tr '\\n' ' '
ulimit -Sn; ulimit -Hn; umask; nice; pwd; cat /proc/self/oom_score_adj
readlink /proc/self/ns/mnt /proc/self/ns/net
rm -f /etc/probe && touch /etc/probe && echo wrote
`;
const persistent = `#!/bin/sh
while read -r line; do
  id=$(printf '%s' "$line" | sed -n 's/^{"run":\\([0-9]*\\).*/\\1/p')
  [ -n "$id" ] || continue
  printf '{"id":%s,"out":"%s","exit":0}\\n' "$id" "$(/srv/probe | sed 's/$/|/' | tr -d '\\n')"
done
`;

/** The shipped unit file under a real systemd: jobs in units of their own, out of the daemon's sandbox and life. */
describe('triggerd under systemd', () => {
  let host: Container;

  const trigger = (...args: string[]) => host.run('/opt/triggerd/bin/trigger', ...args);
  const info = async (id: string): Promise<JobView> =>
    JSON.parse((await trigger('queue', 'info', id, '--json')).stdout);
  const add = async (script: string, ...options: string[]): Promise<string> =>
    (await host.must('/opt/triggerd/bin/trigger', 'queue', 'add', ...options, '--', 'sh', '-c', script)).trim();
  const running = (id: string) => until(async () => (await info(id)).state === 'running', `job ${id} to run`, 30_000);

  beforeAll(async () => {
    host = await bootContainer('bookworm');
    await host.must('mkdir', '-p', '/etc/triggerd');
    await host.must('sh', '-c', `printf '%s' "$0" > /etc/triggerd/triggerd.toml`, config);
    await host.must(
      'sh',
      '-c',
      'ln -s /opt/triggerd/bin/triggerd /opt/triggerd/bin/trigger /usr/bin/ && cp /opt/triggerd/systemd/triggerd.service /etc/systemd/system/ && systemctl daemon-reload',
    );
    await host.must('systemctl', 'start', 'triggerd');
  }, 300_000);
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    // The container, and its journal with it, is gone soon.
    console.error(await host.must('sh', '-c', 'systemctl status --no-pager triggerd; journalctl -b -n 400 --no-pager'));
  });
  afterAll(() => host?.stop(), 60_000);

  it('triggerd tells systemd when it is ready, and is active from then on', async () => {
    expect(await host.must('systemctl', 'show', '-p', 'ActiveState,StatusText,NRestarts', 'triggerd')).toMatch(
      /ActiveState=active/,
    );
    expect((await trigger('nodes')).stdout).toMatch(/lb01 +present/);
  });

  it('systemd runs a job in a unit and cgroup of its own, outside the daemon’s sandbox', async () => {
    const id = await add('cat /proc/self/cgroup; touch /etc/job-was-here && echo wrote; echo "notify=$NOTIFY_SOCKET"');
    expect((await trigger('queue', 'wait', id)).exitCode).toBe(0);
    const { stdout } = await trigger('queue', 'cat', id);
    expect(stdout).toMatch(/triggerd-job-\w+\.service/);
    expect(stdout).not.toMatch(/triggerd\.service/);
    expect(stdout).toMatch(/^wrote$/m);
    expect(stdout).toMatch(/^notify=$/m);
  });

  it('a job that takes more than its limit is ended, and its result says so', async () => {
    const unit =
      'systemctl show -p TasksMax,MemoryMax,LimitNOFILE,OOMScoreAdjust $(basename $(cat /proc/self/cgroup | sed -n s/.*name=systemd://p))';
    const id = await add(`${unit}; ulimit -n; cat /proc/self/oom_score_adj`);
    expect((await trigger('queue', 'wait', id)).exitCode).toBe(0);
    const { stdout } = await trigger('queue', 'cat', id);
    // Beside the job's own share the unit has the runner's.
    const limits = [`MemoryMax=${(256 + 64) * 2 ** 20}`, 'TasksMax=232', 'LimitNOFILE=5000', 'OOMScoreAdjust=-500'];
    for (const limit of limits) expect(stdout.split('\n')).toContain(limit);
    expect(stdout.split('\n').slice(-2)).toEqual(['5000', '0']);
  });

  it('C3 C4: a fork bomb and a job that eats memory end without harm to others', async () => {
    const bomb = await add('perl -e "fork while 1"', '--timeout', '3s');
    await trigger('queue', 'wait', bomb);
    expect((await info(bomb)).reason).toMatch(/^Pids limit: \d+ starts/);
    const eater = await add('exec perl -e "push @a, q(x) x 1_000_000 while 1"');
    await trigger('queue', 'wait', eater);
    expect(await info(eater)).toMatchObject({
      result: 'killed',
      signal: 'SIGKILL',
      reason: expect.stringMatching(/^Out of memory/),
    });
    expect(await host.must('systemctl', 'show', '-p', 'NRestarts', 'triggerd')).toBe('NRestarts=0');
  });

  it('a kill ends every descendant of a job, however it tried to escape', async () => {
    const id = await add('setsid sh -c "env -i setsid sleep 4711 & exec sleep 4712" & sleep 4713');
    await until(
      async () => (await host.run('pgrep', '-f', '^sleep 471[123]')).stdout.split('\n').length === 3,
      'three sleepers',
      30_000,
    );
    expect((await trigger('queue', 'kill', id)).exitCode).toBe(0);
    await trigger('queue', 'wait', id);
    expect(await info(id)).toMatchObject({ state: 'finished', result: 'killed' });
    expect((await host.run('pgrep', '-f', '^sleep 471[123]')).stdout).toBe('');
  });

  describe('a Puppet run that leaves a service behind', () => {
    /** Says a number again and again, and takes more memory than a job may have when it is asked to. */
    const service = `$| = 1; my $i = 0;
until (-e "/tmp/left/stop") {
  print ++$i, " still here\\n";
  open my $f, ">", "/tmp/left/rounds" or die; print $f $i; close $f;
  if (-e "/tmp/left/eat" && !@a) { push @a, "x" x 1_000_000 for 1..400; open my $g, ">", "/tmp/left/ate" }
  select undef, undef, undef, 0.02;
}
open my $h, ">", "/tmp/left/stopped";
`;
    /** `flutter` starts others all the time, also while it is moved. */
    const run =
      'setsid perl /srv/service.pl & setsid sh -c "until [ -e /tmp/left/stop ]; do /bin/true; done" flutter & ';
    const addRun = async (script: string): Promise<string> =>
      (
        await host.must('/opt/triggerd/bin/trigger', 'queue', 'add', '--plugin', 'puppet', '--', 'sh', '-c', script)
      ).trim();
    const exists = (file: string) =>
      until(async () => (await host.run('test', '-e', file)).exitCode === 0, file, 30_000);
    const scopes = () => host.must('systemctl', 'list-units', '--plain', '--no-legend', 'triggerd-left-*');
    const cgroupOf = async (pattern: string) => host.must('sh', '-c', 'cat /proc/$(pgrep -o -f "$0")/cgroup', pattern);
    const rounds = async () => Number(await host.must('cat', '/tmp/left/rounds'));

    let served: string;

    beforeAll(() => host.must('sh', '-c', 'mkdir /tmp/left; printf %s "$0" > /srv/service.pl', service));

    it('a Puppet run ends although it started a service, which is named and lives in its own scope without the job’s limits', async () => {
      const id = await addRun(`${run} until [ -e /tmp/left/rounds ]; do sleep 0.1; done; echo done; exit 2`);
      served = id;
      const next = await add('echo next');
      expect((await trigger('queue', 'wait', id)).exitCode).toBe(2);
      expect((await trigger('queue', 'wait', next)).exitCode).toBe(0);

      const { state, result, exit_code, details } = await info(id);
      expect({ state, result, exit_code }).toEqual({ state: 'finished', result: 'succeeded', exit_code: 2 });
      expect(details).toMatchObject({
        leftovers: { fate: 'left', unit: expect.stringMatching(/^triggerd-left-\w+\.scope$/) },
      });
      const { leftovers } = details as { leftovers: { unit: string; processes: { name: string; pid: number }[] } };
      expect(leftovers.processes.map(({ name }) => name)).toEqual(expect.arrayContaining(['perl', 'sh']));
      expect((await trigger('queue', 'info', id)).stdout).toMatch(
        /^Leftovers: +running: .*perl \(pid \d+\).* in triggerd-left-/m,
      );

      expect(await scopes()).toContain(`Left by job ${id} of triggerd`);
      expect(await host.must('systemctl', 'list-units', '--plain', '--no-legend', '--all', 'triggerd-job-*')).toBe('');
      for (const pattern of ['^perl /srv/service', '^sh -c until.* flutter$'])
        expect(await cgroupOf(pattern)).toContain(`/${leftovers.unit}`);
      expect(await cgroupOf('^perl /srv/service')).not.toContain('triggerd-job');
      await host.must('touch', '/tmp/left/eat');
      await exists('/tmp/left/ate');
    });

    it('a service that a run left survives a late kill and a restart of the daemon, and its output fills no disk', async () => {
      expect((await trigger('queue', 'kill', served)).exitCode).not.toBe(0);
      await host.must('systemctl', 'restart', 'triggerd');
      await until(async () => (await trigger('queue')).exitCode === 0, 'the daemon to be back', 60_000);
      const before = await rounds();
      await until(async () => (await rounds()) > before + 5000 / 20, 'it to continue for some time', 60_000);
      expect((await trigger('queue', 'cat', served)).stdout.length).toBeLessThan(100_000);
      await host.must('touch', '/tmp/left/stop');
      await exists('/tmp/left/stopped');
      await until(async () => (await scopes()) === '', 'its scope to go with it', 30_000);
    });

    it('a run that left a service ends the same when the daemon was killed meanwhile', async () => {
      const id = await addRun('setsid sleep 4715 & until [ -e /tmp/left/gate ]; do sleep 0.1; done; exit 0');
      await running(id);
      await host.must('systemctl', 'kill', '--signal=KILL', '--kill-whom=main', 'triggerd');
      await host.must('touch', '/tmp/left/gate');
      await until(async () => (await info(id).catch(() => undefined))?.state === 'finished', 'the job to end', 60_000);
      expect(await info(id)).toMatchObject({
        result: 'succeeded',
        attempt: 1,
        details: { leftovers: { fate: 'left', total: 1, processes: [{ name: 'sleep' }] } },
      });
      expect(await cgroupOf('^sleep 4715')).toContain('/triggerd-left-');
      await host.must('pkill', '-f', '^sleep 4715');
    });

    it('a kill during a run ends every process that the run started', async () => {
      const id = await addRun('setsid sleep 4716 & exec sleep 4717');
      await until(async () => (await host.run('pgrep', '-f', '^sleep 471[67]')).stdout.includes('\n'), 'both', 30_000);
      expect((await trigger('queue', 'kill', id)).exitCode).toBe(0);
      await trigger('queue', 'wait', id);
      expect(await info(id)).toMatchObject({ result: 'killed', details: {} });
      expect((await host.run('pgrep', '-f', '^sleep 471[67]')).stdout).toBe('');
    });
  });

  it('the plugin service controls a unit, and log sends to the journal', async () => {
    const unit = '[Service]\nExecStart=/bin/sleep 4714\nExecReload=/bin/true\n';
    await host.must(
      'sh',
      '-c',
      `printf '%s' "$0" > /etc/systemd/system/sleeper.service && systemctl daemon-reload`,
      unit,
    );
    const runPlugin = async (plugin: string, ...args: string[]) => {
      const given = args.flatMap((arg) => ['--arg', arg]);
      const id = (await host.must('/opt/triggerd/bin/trigger', 'queue', 'add', '--plugin', plugin, ...given)).trim();
      const { exitCode } = await trigger('queue', 'wait', id);
      return { exitCode, output: (await trigger('queue', 'cat', id)).stdout };
    };
    const service = (name: string, action: string) => runPlugin('service', `unit=${name}`, `action=${action}`);
    expect(await service('sleeper', 'status')).toMatchObject({
      exitCode: 3,
      output: expect.stringContaining('inactive'),
    });
    expect(await service('sleeper', 'start')).toEqual({ exitCode: 0, output: 'start sleeper: done, it is active' });
    expect(await service('sleeper', 'reload')).toMatchObject({ exitCode: 0 });
    expect(await service('sleeper', 'stop')).toEqual({ exitCode: 0, output: 'stop sleeper: done, it is inactive' });
    expect(await service('nobody', 'restart')).toMatchObject({
      exitCode: 5,
      output: expect.stringContaining('service: systemctl restart nobody ended with 5'),
    });
    expect((await trigger('plugin', 'test', 'service')).exitCode).toBe(0);

    expect(await runPlugin('log', 'text=said $(here)', 'tag=trg', 'priority=local0.err')).toMatchObject({
      exitCode: 0,
    });
    const entry = () => host.must('journalctl', '-t', 'trg', '-p', 'err', '-o', 'cat');
    await until(async () => (await entry()) === 'said $(here)', 'the entry');
  });

  it('a job outlives a restart of the daemon that it caused itself', async () => {
    const id = await add('systemctl restart triggerd; echo restarted; exit 5');
    await until(async () => (await info(id).catch(() => undefined))?.state === 'finished', 'the job to end', 60_000);
    expect(await info(id)).toMatchObject({ result: 'failed', exit_code: 5, attempt: 1 });
    expect((await trigger('queue', 'cat', id)).stdout).toBe('restarted');
  });

  it('a job outlives a killed daemon; the unit starts again and collects it', async () => {
    const id = await add('until [ -e /tmp/gate ]; do sleep 0.1; done; exit 6');
    await running(id);
    await host.must('systemctl', 'kill', '--signal=KILL', '--kill-whom=main', 'triggerd');
    await until(async () => (await trigger('queue')).exitCode === 0, 'the daemon to be back', 60_000);
    expect(await info(id)).toMatchObject({ state: 'running', attempt: 1 });
    await host.must('touch', '/tmp/gate');
    expect((await trigger('queue', 'wait', id)).exitCode).toBe(6);
  });

  it.each(['exec sleep 1000', 'trap "exit 0" TERM; while :; do sleep 0.1; done'])(
    'a job that a shutdown ended is interrupted, however it reacted to the signal: %s',
    async (script) => {
      const id = await add(script);
      await running(id);
      await host.must('systemctl', 'enable', 'triggerd');
      await host.poweroff();
      await host.boot();
      await until(async () => (await info(id).catch(() => undefined))?.state === 'finished', 'the job to end', 60_000);
      expect(await info(id)).toMatchObject({ result: 'interrupted', attempt: 1 });
    },
  );

  it.each(['triggerd', 'triggerfs', 'triggerfs-worker@'])('the exposure of %s.service is at most 4.0', async (unit) => {
    const file = `/opt/triggerd/systemd/${unit}.service`;
    const { stdout, exitCode } = await host.run(
      'systemd-analyze',
      'security',
      '--offline=true',
      '--threshold=40',
      file,
    );
    expect([exitCode, stdout.split('\n').at(-1)]).toEqual([0, expect.stringMatching(/ [0-3]\.\d OK/)]);
  });

  describe('what runs outside of the daemon’s sandbox sees what any unit sees', () => {
    let anyUnit: string[];

    const write = (file: string, text: string) => host.must('sh', '-c', 'printf %s "$1" > "$0"', file, text);
    /** Only where it runs differs. */
    const asAnyUnit = (unit: string) => [`in ${unit}`, ...anyUnit.slice(1)];

    beforeAll(async () => {
      await host.must('systemctl', 'stop', 'triggerd');
      await host.must('sh', '-c', 'mkdir -p /srv/plugins/probe && cp -r /opt/triggerd/plugins/. /srv/plugins');
      await write('/srv/probe', probe);
      await write('/srv/plugins/probe/plugin.toml', 'summary = "Says where it runs"\nmode = "persistent"\n');
      await write('/srv/plugins/probe/probe', persistent);
      await write(
        '/usr/local/bin/puppet',
        '#!/bin/sh\n/srv/probe > /srv/asked.$$ && mv /srv/asked.$$ /srv/asked\necho lb02\n',
      );
      await host.must('chmod', '755', '/srv/probe', '/srv/plugins/probe/probe', '/usr/local/bin/puppet');
      await write('/etc/triggerd/triggerd.toml', plainConfig);
      const run = ['systemd-run', '--quiet', '--pipe', '--wait', '--unit=any-unit', '/srv/probe'];
      anyUnit = (await host.must(...run)).split('\n');
      expect(anyUnit).toContain('wrote');
      await host.must('systemctl', 'start', 'triggerd');
    });

    it('a job sees what any unit sees, and nothing of the daemon’s sandbox', async () => {
      const id = await add('exec /srv/probe');
      expect((await trigger('queue', 'wait', id)).exitCode).toBe(0);
      const ignored = (lines: string[]) => lines.filter((line) => !line.startsWith('SigIgn'));
      // systemd has its units ignore SIGPIPE, which no job expects.
      expect(ignored((await trigger('queue', 'cat', id)).stdout.split('\n'))).toEqual(
        ignored(asAnyUnit('triggerd-job')),
      );
    });

    it('a persistent plugin sees what any unit sees, and ends with the daemon', async () => {
      const id = (await host.must('/opt/triggerd/bin/trigger', 'queue', 'add', '--plugin', 'probe')).trim();
      expect((await trigger('queue', 'wait', id)).exitCode).toBe(0);
      const said = (await trigger('queue', 'cat', id)).stdout.split('|').slice(0, -1);
      expect(said.filter((line) => !line.startsWith('SigIgn'))).toEqual(
        asAnyUnit('triggerd-plugin').filter((line) => !line.startsWith('SigIgn')),
      );
      const units = () => host.must('systemctl', 'list-units', '--plain', '--no-legend', 'triggerd-plugin-*');
      expect(await units()).toMatch(/persistent plugin probe/);
      await host.must('systemctl', 'kill', '--kill-whom=main', '--signal=KILL', 'triggerd');
      await until(async () => (await units()) === '', 'the end of the plugin', 60_000);
    });

    it('a query to Puppet sees what any unit sees, and nothing of the daemon’s sandbox', async () => {
      await until(async () => (await trigger('nodes')).stdout.includes('lb02'), 'the daemon to be back', 60_000);
      const asked = (await host.must('cat', '/srv/asked')).split('\n');
      expect(asked.filter((line) => !line.startsWith('SigIgn'))).toEqual(
        asAnyUnit('triggerd-query').filter((line) => !line.startsWith('SigIgn')),
      );
    });

    it('the daemon itself and its etcd have no more rights than they need', async () => {
      for (const process of ['$(systemctl show -P MainPID triggerd)', '$(pgrep -x etcd)']) {
        const status = await host.must('sh', '-c', `cat /proc/${process}/status`);
        expect(status).toMatch(/^NoNewPrivs:\t1$/m);
        // A container has some of its own.
        const filters = (text: string) => Number(/^Seccomp_filters:\s*(\d+)$/m.exec(text)?.[1]);
        expect(filters(status)).toBeGreaterThan(filters(anyUnit.join('\n')));
        // CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_NET_BIND_SERVICE.
        expect(status).toMatch(/^CapEff:\t0000000000000407$/m);
      }
    });
  });

  it('triggerd reloads its configuration and stops cleanly under systemd', async () => {
    await host.must('systemctl', 'reload', 'triggerd');
    await host.must('systemctl', 'stop', 'triggerd');
    expect(await host.must('systemctl', 'show', '-p', 'Result', 'triggerd')).toBe('Result=success');
    expect((await host.run('pgrep', 'etcd')).stdout).toBe('');
  });

  it('the manual’s drop-in runs triggerd as another user and opens the sandbox for jobs; without it triggerd warns', async () => {
    const manual = readFileSync(join(root, 'docs/how-to/operations.md'), 'utf8');
    const [, dropIn = ''] = /```ini\n(.*?)```/s.exec(manual) ?? [];
    const folder = '/etc/systemd/system/triggerd.service.d';
    await host.must('sh', '-c', `useradd deploy && mkdir ${folder}`);
    const privileges = async (lines: string) => {
      await host.must('sh', '-c', `printf %s "$0" > ${folder}/user.conf && systemctl daemon-reload`, lines);
      await host.must('systemctl', 'start', 'triggerd');
      const id = await add('id -un; grep NoNewPrivs: /proc/self/status');
      await trigger('queue', 'wait', id);
      const { stdout } = await trigger('queue', 'cat', id);
      await host.must('systemctl', 'stop', 'triggerd');
      return stdout;
    };
    const warnings = async () =>
      (await host.must('journalctl', '-u', 'triggerd', '-o', 'cat')).split('in the sandbox').length - 1;
    expect(await privileges(dropIn)).toBe('deploy\nNoNewPrivs:\t0');
    expect(await warnings()).toBe(0);
    expect(await privileges('[Service]\nUser=deploy\n')).toBe('deploy\nNoNewPrivs:\t1');
    expect(await warnings()).toBe(1);
  });
}, 120_000);
