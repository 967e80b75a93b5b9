import { realpathSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootContainer, type Container } from '../support/container.ts';
import { until } from '../support/wait.ts';

const secret = 'correct horse battery';
const file = '/mnt/triggerfs/newtrigger/demotrigger';
const libfuse = '/lib/x86_64-linux-gnu/libfuse.so.2';

const config = `[node]
name = "server1"
[etcd]
embedded = true
[watch]
enabled = false
[plugins]
path = "/opt/triggerd/plugins"
[broker]
listen = "tcp://127.0.0.1:5555"
[main]
team = "team1"
identity = "hp"
secret = "${secret}"
[triggerfs]
mountpoint = "/mnt/triggerfs"
[workers]
allow = ["command"]
`;

/** One daemon as broker, worker and mount, in the sandbox of the shipped unit: what it mounts is there for everybody. */
describe('trigger files under systemd', () => {
  let host: Container;

  const trigger = (...args: string[]) => host.must('/opt/triggerd/bin/trigger', ...args);
  const shell = (script: string, ...args: string[]) => host.run('sh', '-c', script, 'sh', ...args);
  const answers = (marker: string) =>
    until(
      async () => {
        const { exitCode } = await shell('echo "echo $2" > $1', file, marker);
        return exitCode === 0 && (await shell(`cat ${file}`)).stdout.includes(marker);
      },
      `an answer to ${marker}`,
      60_000,
    );

  beforeAll(async () => {
    host = await bootContainer('bookworm', undefined, {
      shown: {
        '/dev/fuse': '/dev/fuse',
        '/usr/bin/fusermount': realpathSync('/usr/bin/fusermount'),
        [libfuse]: realpathSync(libfuse),
      },
    });
    await host.must('mkdir', '-p', '/etc/triggerd', '/mnt/triggerfs');
    await host.must('sh', '-c', `printf '%s' "$0" > /etc/triggerd/triggerd.toml`, config);
    await host.must(
      'sh',
      '-c',
      'ln -s /opt/triggerd/bin/triggerd /opt/triggerd/bin/trigger /usr/bin/ && cp /opt/triggerd/systemd/triggerd.service /etc/systemd/system/ && systemctl daemon-reload',
    );
    await host.must('systemctl', 'start', 'triggerd');
  }, 300_000);
  afterAll(() => host?.stop(), 60_000);

  it('trigger files work for processes outside of the daemon’s sandbox', async () => {
    const init = 'echo "$0" | /opt/triggerd/bin/trigger admin init --team team1 --identity hp --password-stdin';
    await host.must('sh', '-c', init, secret);
    await host.must('sh', '-c', '/opt/triggerd/bin/trigger worker add demo01 >> /etc/triggerd/triggerd.toml');
    await trigger('service', 'add', 'demoservice');
    await trigger('service', 'attach', 'demoservice', 'demo01');
    await trigger('directory', 'add', '/newtrigger');
    const settings = ['--plugin', 'command', '--service', 'demoservice', '--delivery', 'sync', '--timeout', '10s'];
    await trigger('definition', 'add', '/newtrigger/demotrigger', ...settings);
    await host.must('systemctl', 'restart', 'triggerd');
    await answers('first');
    expect((await shell('ls /mnt/triggerfs')).stdout).toBe('newtrigger');
  }, 120_000);

  it('trigger files return after a killed daemon and vanish with a stopped one; doctor names who holds one of the old mount', async () => {
    const holding = async (unit: string, ...options: string[]) => {
      const script = `exec sleep 1000 >> ${file}`;
      await host.must('systemd-run', '--quiet', `--unit=${unit}`, ...options, 'sh', '-c', script);
      const isHeld = async () => (await shell(`ls -l /proc/$(systemctl show -P MainPID ${unit})/fd/1`)).stdout;
      await until(async () => (await isHeld()).endsWith(file), `${unit} to hold the file`);
      return host.must('systemctl', 'show', '-P', 'MainPID', unit);
    };
    const holders = [await holding('plain'), await holding('own-view', '-p', 'PrivateTmp=yes')];
    holders.push(await holding('cut-off', '-p', 'PrivateMounts=yes', '-p', 'MountFlags=private'));
    const doctor = () => trigger('doctor', '--only', 'fuse', '--problems');
    // No service of this system either, whose standard streams are older than its own view of mounts.
    expect(await doctor()).toBe('');
    await host.must('systemctl', 'kill', '--kill-whom=main', '--signal=KILL', 'triggerd');
    await answers('second');
    const named = await doctor();
    for (const pid of holders)
      expect(named).toMatch(new RegExp(`^warning +FUSE +sleep \\(pid ${pid}\\) has .*demotrigger`, 'm'));
    expect(named.match(/^warning/gm)).toHaveLength(holders.length);
    await host.must('systemctl', 'stop', 'plain', 'own-view', 'cut-off');
    expect(await doctor()).toBe('');
    await host.must('systemctl', 'stop', 'triggerd');
    expect((await shell('grep -c /mnt/triggerfs /proc/self/mounts')).stdout).toBe('0');
    const left = ['list-units', '--plain', '--no-legend', 'triggerd-mount-*'];
    await until(async () => (await host.must('systemctl', ...left)) === '', 'the end of the mount’s unit', 30_000);
  }, 120_000);

  it('trigger files and their worker run from units of their own beside a daemon that a drop-in makes a mere broker', async () => {
    const script = `
      cd /etc/triggerd && sed -n '/^.main/q;p' triggerd.toml > broker.toml
      mkdir /etc/systemd/system/triggerd.service.d
      printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/triggerd --config /etc/triggerd/broker.toml\\n' \
        > /etc/systemd/system/triggerd.service.d/broker.conf
      ln -s /opt/triggerd/bin/triggerfs /opt/triggerd/bin/triggerfs-worker /usr/bin/
      cp /opt/triggerd/systemd/triggerfs*.service /etc/systemd/system/
      systemctl daemon-reload && systemctl start triggerd
      key=$(/opt/triggerd/bin/trigger broker key)
      printf "broker = 'tcp://127.0.0.1:5555'\\nbroker_key = '%s'\\n" "$key" > broker.lines
      sed -i '/^.main.$/r broker.lines' triggerd.toml
      systemctl start triggerfs triggerfs-worker@demo01 || { journalctl -n 30 -o cat >&2; exit 1; }`;
    await host.must('sh', '-ec', script);
    await answers('third');
    const workersJob = 'echo "sed -n s/.*name=systemd://p /proc/self/cgroup" > $1; cat $1';
    expect((await shell(workersJob, file)).stdout).toMatch(/triggerd-job-/);
    await host.must('systemctl', 'stop', 'triggerfs', 'triggerfs-worker@demo01', 'triggerd');
    expect((await shell('grep -c /mnt/triggerfs /proc/self/mounts')).stdout).toBe('0');
    expect(await host.must('systemctl', 'show', '-P', 'Result', 'triggerfs', 'triggerfs-worker@demo01')).toMatch(
      /^success\s+success$/,
    );
  }, 120_000);
});
