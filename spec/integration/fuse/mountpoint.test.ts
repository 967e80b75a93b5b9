import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FsError } from '../../../src/mount/errno.ts';
import { MountLink } from '../../../src/mount/link.ts';
import type { Gateway } from '../../../src/mount/ports.ts';
import { definition, directory, mountTree, newMountpoint } from '../../support/mounts.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { until } from '../../support/wait.ts';

const dist = join(import.meta.dirname, '../../../dist');
const never = new Promise<never>(() => undefined);
let isReached = false;
const gateway: Gateway = {
  spool: () => {
    isReached = true;
    return never;
  },
  send: () => never,
  execute: async () => {
    throw new FsError('EACCES', 'no');
  },
  content: () => never,
};
const tree = {
  directories: [directory(1, 'demo')],
  definitions: [
    definition(2, 1, 'file'),
    definition(3, 1, 'sync', { delivery: 'sync', timeout_ms: 500 }),
    definition(4, 1, 'other'),
  ],
};

const isMounted = async (path: string): Promise<boolean> =>
  (await readFile('/proc/self/mountinfo', 'utf8')).includes(` ${path} `);

describe('a mount', () => {
  it('a mount vanishes with its daemon, and whoever waited in it continues with an error', async () => {
    const mount = await mountTree(gateway);
    mount.show(tree);
    await until(() => stat(mount.path('demo')).catch(() => undefined), 'the tree');
    const writer = execa('bash', ['-c', 'echo blocked > demo/file'], { cwd: mount.mountpoint, reject: false });
    await until(() => isReached, 'the write');
    mount.process.stream.destroy();
    expect((await writer).stderr).toMatch(/not connected|connection abort/i);
    await mount.process.ended;
    expect(await isMounted(mount.mountpoint)).toBe(false);
    await rm(mount.mountpoint, { recursive: true });
  });

  it('a mount of a frozen daemon answers ls, and releases every writer and reader after a while, killed or not', async () => {
    const mount = await mountTree(gateway);
    mount.show(tree);
    await until(() => stat(mount.path('demo')).catch(() => undefined), 'the tree');
    const start = (script: string) =>
      execa('bash', ['-c', script], { cwd: mount.mountpoint, reject: false, env: { LC_ALL: 'C' }, timeout: 60_000 });
    isReached = false;
    // Of a file of its own: the kernel lets writers of one file in one after the other.
    const [writer, killed, closer, reader] = [
      start('echo blocked > demo/file'),
      start('exec dd if=/dev/zero of=demo/other count=1'),
      start('exec dd if=/dev/zero of=demo/sync count=1'),
      start('cat demo/.file.status'),
    ];
    await until(() => isReached, 'a write');
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) killed.kill(signal);
    closer.kill('SIGKILL');
    expect((await start('ls demo')).stdout).toBe('file\nother\nsync');
    expect((await writer).stderr).toContain('Connection timed out');
    expect((await reader).stderr).toContain('Connection timed out');
    expect((await killed).signal).toMatch(/SIGTERM|SIGKILL/);
    expect((await closer).signal).toBe('SIGKILL');
    for (const { timedOut } of [await writer, await reader, await killed, await closer]) expect(timedOut).toBe(false);
    await mount.close();
  });

  it('a mount that is busy is unmounted all the same: open files get an error, and stuck calls continue', async () => {
    const mount = await mountTree(gateway);
    mount.show(tree);
    await until(() => stat(mount.path('demo')).catch(() => undefined), 'the tree');
    const busy = execa('bash', ['-c', 'exec 3>demo/file; cd demo; echo open; read line; echo late >&3; pwd -P; ls .'], {
      cwd: mount.mountpoint,
      reject: false,
      env: { LC_ALL: 'C' },
    });
    await once(busy.stdout, 'data');
    await execa('fusermount', ['-u', '-z', mount.mountpoint]);
    expect(await isMounted(mount.mountpoint)).toBe(false);
    await mount.process.end();
    busy.stdin.end('continue\n');
    expect((await busy).stderr).toMatch(/not connected|connection abort/i);
    await rm(mount.mountpoint, { recursive: true });
  });

  it('a mount that was killed is replaced by the next one', async () => {
    const first = await mountTree(gateway);
    const { pid } = first.process;
    if (pid === undefined) throw new Error('no process');
    process.kill(pid, 'SIGKILL');
    await first.process.ended;
    const second = await mountTree(gateway, first.mountpoint);
    second.show(tree);
    await until(async () => (await readdir(second.mountpoint).catch(() => []))[0] === 'demo', 'the second mount');
    await second.close();
  });

  it('a mount that ends has handed over the messages that nobody waits for', async () => {
    const taken: string[] = [];
    const mount = await mountTree({
      ...gateway,
      spool: async (_definition, messages) => void taken.push(...messages.map(String)),
    });
    mount.show({ directories: tree.directories, definitions: [definition(2, 1, 'file', { durable: false })] });
    await until(() => stat(mount.path('demo')).catch(() => undefined), 'the tree');
    const script = 'import os\nfd = os.open("demo/file", os.O_WRONLY)\nfor i in range(2000): os.write(fd, b"%d" % i)';
    // Ends while the last of them are gathered; what a terminal sends does not end it.
    await execa('python3', ['-c', `${script}\nfor signal in 1, 2, 15: os.kill(${mount.process.pid}, signal)`], {
      cwd: mount.mountpoint,
    });
    await mount.process.ended;
    expect(taken).toEqual(Array.from({ length: 2_000 }, (_, n) => String(n)));
    await rm(mount.mountpoint, { recursive: true });
  });

  it('a mount works in a folder with a name that a shell would interpret', async () => {
    const parent = await newMountpoint();
    const odd = join(parent, '$(touch oops) "`x` a');
    const mount = await mountTree(gateway, odd);
    expect(await isMounted(odd.replaceAll(' ', '\\040'))).toBe(true);
    await mount.process.end();
    expect(await isMounted(odd.replaceAll(' ', '\\040'))).toBe(false);
    expect(await readdir(parent)).toEqual(['$(touch oops) "`x` a']);
    await rm(parent, { recursive: true });
  });
});

it('a mount appears where process 1 sees it, also from a sandbox with mounts of its own', async () => {
  const parent = await newMountpoint();
  const mountpoint = join(parent, 'mnt');
  const settings = {
    mountpoint,
    allowOther: false,
    log: { level: 'fatal', format: 'json', node: 'x', isTerminal: false },
  };
  const log = '{ debug() {}, info() {}, warn() {}, error() {} }';
  const script = `
    import { startMountProcess } from '${dist}/adapters/fuse/mount-process.js';
    import { MountLink } from '${dist}/mount/link.js';
    const mount = startMountProcess('${dist}/programs/mount.js', ${JSON.stringify(settings)}, ${log});
    await new MountLink(mount.stream, {}, ${log}).mounted;
    process.stdin.resume().once('end', () => mount.end().then(() => process.exit()));
    console.log('mounted');`;
  // The outer shell is process 1 of its namespace; the inner one is in a sandbox such as systemd's.
  const outer = `coproc unshare --mount --propagation slave node --input-type=module -e "$0"
    read -r -u \${COPROC[0]} line; grep -c "$1" /proc/self/mountinfo
    eval "exec \${COPROC[1]}>&-"; wait $COPROC_PID; grep -c "$1" /proc/self/mountinfo`;
  const unshare = ['--pid', '--fork', '--mount-proc', 'bash', '-c', outer, script, mountpoint];
  const { stdout } = await execa('unshare', unshare, { reject: false, timeout: 60_000 });
  expect(stdout.split('\n')).toEqual(['1', '0']);
  await rm(parent, { recursive: true });
});

describe('by a user without rights', () => {
  /** In a view of mounts of its own: with a /dev/fuse as udev makes it, and what runs where this user may read it. */
  const mountAsNobody = async ({ allowOther = false, deviceMode = '0666' } = {}) => {
    const parent = await newMountpoint();
    const log = { level: 'fatal', format: 'json', node: 'test', isTerminal: false };
    const settings = { mountpoint: join(parent, 'mnt'), allowOther, log };
    const script = `set -e; mount -t tmpfs -o mode=0755 none "$0"; cd "$0"
      mkdir app; install -d -o 65534 -g 65534 mnt; mknod -m ${deviceMode} fuse c 10 229; touch node
      mount --bind fuse /dev/fuse; mount --bind "$1" app; mount --bind "$2" node
      if [ -e /etc/fuse.conf ]; then mount --bind /dev/null /etc/fuse.conf; fi
      exec setpriv --reuid=65534 --regid=65534 --clear-groups ./node app/dist/programs/mount.js "$3"`;
    const args = [
      '--mount',
      'bash',
      '-c',
      script,
      parent,
      join(dist, '..'),
      process.execPath,
      JSON.stringify(settings),
    ];
    const child = spawn('unshare', args, { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
    const ended = once(child, 'exit');
    const stream = child.stdio[3] as Duplex;
    const link = new MountLink(stream, gateway, recordingLog());
    onTestFinished(async () => {
      stream.destroy();
      await ended;
      await rm(parent, { recursive: true });
    });
    await link.mounted;
    link.show({ team: 'team1', ...tree });
    return (user: number, command: string) =>
      execa(
        'nsenter',
        [
          `--mount=/proc/${child.pid}/ns/mnt`,
          'setpriv',
          `--reuid=${user}`,
          `--regid=${user}`,
          '--clear-groups',
          'sh',
          '-c',
        ].concat(command, parent),
        { reject: false, timeout: 60_000 },
      );
  };

  it('a mount by a user without rights is visible to that user alone', async () => {
    const run = await mountAsNobody();
    await until(async () => (await run(65_534, 'ls "$0/mnt/demo"')).stdout === 'file\nother\nsync', 'the tree');
    for (const other of [0, 1]) expect((await run(other, 'ls "$0/mnt"')).stderr).toContain('Permission denied');
  });

  it.each([
    [{ allowOther: true }, 'allow_other needs the line user_allow_other in /etc/fuse.conf'],
    [{ deviceMode: '0600' }, 'this user cannot open /dev/fuse'],
  ])('a mount by a user without rights is refused with what that user lacks: %j', async (options, why) => {
    await expect(mountAsNobody(options)).rejects.toThrow(why);
  });
});

describe('is refused, with what is in the way:', () => {
  it('a mount is refused on a folder that is not empty, a link, a file, and a mount that works, with the reason', async () => {
    const parent = await newMountpoint();
    await mkdir(join(parent, 'full', 'x'), { recursive: true });
    await symlink('full', join(parent, 'link'));
    await writeFile(join(parent, 'file'), '');
    await expect(mountTree(gateway, join(parent, 'full'))).rejects.toThrow('the folder is not empty');
    await expect(mountTree(gateway, join(parent, 'link'))).rejects.toThrow('is a symbolic link');
    await expect(mountTree(gateway, join(parent, 'file'))).rejects.toThrow('the folder cannot be created');
    const mount = await mountTree(gateway, join(parent, 'mnt'));
    await expect(mountTree(gateway, join(parent, 'mnt'))).rejects.toThrow('something is mounted there');
    await mount.close();
    await rm(parent, { recursive: true });
  });
});
