import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobView } from '../../src/api/contract.ts';
import { bootContainer, type Container } from '../support/container.ts';
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
  afterAll(() => host?.stop(), 60_000);

  it('is active once it is ready, and says so to systemd', async () => {
    expect(await host.must('systemctl', 'show', '-p', 'ActiveState,StatusText,NRestarts', 'triggerd')).toMatch(
      /ActiveState=active/,
    );
    expect((await trigger('nodes')).stdout).toMatch(/lb01 +present/);
  });

  it('runs a job in a unit and cgroup of its own, outside the daemon’s sandbox', async () => {
    const id = await add('cat /proc/self/cgroup; touch /etc/job-was-here && echo wrote; echo "notify=$NOTIFY_SOCKET"');
    expect((await trigger('queue', 'wait', id)).exitCode).toBe(0);
    const { stdout } = await trigger('queue', 'cat', id);
    expect(stdout).toMatch(/triggerd-job-\w+\.service/);
    expect(stdout).not.toMatch(/triggerd\.service/);
    expect(stdout).toMatch(/^wrote$/m);
    expect(stdout).toMatch(/^notify=$/m);
  });

  it('limits what a job may use, and ends it with a word where it takes more', async () => {
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

  it('C3 C4: a fork bomb and a job that eats memory end alone', async () => {
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

  it('kills every descendant, whatever it did to get away', async () => {
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

  it('the plugin service looks after a unit, and log sends to the journal', async () => {
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
    'a job that a shutdown ended was interrupted, whatever it made of the signal: %s',
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

  it('reloads, and stops cleanly', async () => {
    await host.must('systemctl', 'reload', 'triggerd');
    await host.must('systemctl', 'stop', 'triggerd');
    expect(await host.must('systemctl', 'show', '-p', 'Result', 'triggerd')).toBe('Result=success');
    expect((await host.run('pgrep', 'etcd')).stdout).toBe('');
  });
}, 120_000);
