import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { root } from './node.ts';
import { until } from './wait.ts';

/** Where bootstrapped systems are kept between runs. */
const cache = '/var/cache/triggerd-acceptance';

/** A Debian with its own systemd as pid 1, on its own private network, with this host's etcd. */
export interface Container {
  /** Runs a command inside, as root. */
  run(...argv: string[]): Promise<{ stdout: string; stderr: string; exitCode: number | undefined }>;
  /** Like `run`, and throws when it fails. */
  must(...argv: string[]): Promise<string>;
  /** Copies a file of this host to a path inside. */
  copyIn(file: string, to: string): void;
  stop(): Promise<void>;
}

/** Debian packages of a container. It has no network: they come from the host's mirror while the system is prepared. */
export interface Equipment {
  /** Names the prepared system in the cache. */
  readonly name: string;
  readonly installed: readonly string[];
  /** In apt's cache, to be installed inside. */
  readonly installable: readonly string[];
}

export interface ContainerOptions {
  /** Whether the checkout is at /opt/triggerd, with this host's Node.js to run it; true by default. */
  readonly checkout?: boolean;
}

/**
 * Needs root, debootstrap and systemd-container. The first call bootstraps (about a minute); the system is thrown away after each use.
 * Without `equipment` the container has the host's etcd.
 */
export const bootContainer = async (
  release: 'bookworm' | 'trixie',
  equipment?: Equipment,
  { checkout = true }: ContainerOptions = {},
): Promise<Container> => {
  const base = equipment ? await equipped(release, equipment) : await bootstrapped(release);
  const folder = mkdtempSync(join(tmpdir(), 'triggerd-container-'));
  await execa('cp', ['-a', `${base}/.`, folder]);
  const binds = [
    ...(checkout ? [`${root}:/opt/triggerd`, '/usr/bin/node'] : []),
    ...(equipment ? [] : ['/usr/bin/etcd']),
  ];
  const args = ['--quiet', '--boot', `--directory=${folder}`, '--register=no', '--keep-unit', '--private-network'];
  args.push('--link-journal=no', '--console=pipe', ...binds.map((bind) => `--bind-ro=${bind}`));
  const nspawn = spawn('sh', ['-c', `${enterOwnCgroups} exec systemd-nspawn "$@"`, 'sh', ...args], { stdio: 'ignore' });
  try {
    const leader = await until(() => leaderOf(nspawn), 'the container to start', 30_000);
    const run: Container['run'] = async (...argv) => {
      const inside = [
        '--target',
        String(leader),
        '--all',
        '--',
        '/usr/bin/env',
        '-i',
        'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
        'LANG=C.UTF-8',
        ...argv,
      ];
      const { stdout, stderr, exitCode } = await execa('nsenter', inside, { reject: false, stdin: 'ignore' });
      return { stdout, stderr, exitCode };
    };
    await until(
      async () => /running|degraded/.test((await run('systemctl', 'is-system-running')).stdout),
      'systemd',
      60_000,
    );
    await openControllers(run);
    return {
      run,
      must: async (...argv) => {
        const { stdout, stderr, exitCode } = await run(...argv);
        if (exitCode !== 0) throw new Error(`${argv.join(' ')} exited ${exitCode}: ${stderr || stdout}`);
        return stdout;
      },
      copyIn: (file, to) => copyFileSync(file, join(folder, to)),
      stop: async () => {
        await run('systemctl', 'poweroff', '--force', '--force');
        await endOf(nspawn, folder);
      },
    };
  } catch (error) {
    await endOf(nspawn, folder);
    throw error;
  }
};

/** Those of cgroup v1, in which the container gets a cgroup of its own. */
const legacyControllers = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup/memory'].filter(existsSync);
const enterOwnCgroups = legacyControllers
  .map(
    (folder) => `mkdir -p ${folder}/triggerd-acceptance/$$ && echo $$ > ${folder}/triggerd-acceptance/$$/cgroup.procs;`,
  )
  .join(' ');

/** With cgroup v1 nspawn shows the controllers read-only: limits would be accepted and not hold. */
const openControllers = async (run: Container['run']): Promise<void> => {
  for (const controller of legacyControllers) await run('mount', '-o', 'remount,bind,rw', controller);
  if (legacyControllers.length > 0) await run('systemctl', 'daemon-reexec');
};

const endOf = async (nspawn: ChildProcess, folder: string): Promise<void> => {
  const over = nspawn.exitCode !== null || nspawn.signalCode !== null ? Promise.resolve() : once(nspawn, 'exit');
  nspawn.kill('SIGTERM');
  await over;
  rmSync(folder, { recursive: true, force: true });
  for (const controller of legacyControllers) await removeCgroup(`${controller}/triggerd-acceptance/${nspawn.pid}`);
};

/** Cgroups can not be deleted as files are, and are busy until the kernel has seen off their last process. */
const removeCgroup = (folder: string): Promise<unknown> =>
  until(async () => {
    await execa('find', [folder, '-depth', '-type', 'd', '-delete'], { reject: false });
    return !existsSync(folder);
  }, `${folder} to be removed`);

/** The container's pid 1, seen from outside: the child of systemd-nspawn that has become systemd. */
const leaderOf = async ({ pid }: ChildProcess): Promise<number | undefined> => {
  const { stdout } = await execa('pgrep', ['--parent', String(pid), '--exact', 'systemd'], { reject: false });
  const found = Number(stdout.split('\n')[0]);
  return found > 0 ? found : undefined;
};

const bootstrapped = (release: string): Promise<string> =>
  cached(release, (fresh) =>
    execa('debootstrap', [
      '--variant=minbase',
      '--include=systemd,systemd-sysv,dbus,procps,libstdc++6',
      release,
      fresh,
    ]),
  );

const equipped = async (release: string, { name, installed, installable }: Equipment): Promise<string> => {
  const base = await bootstrapped(release);
  const script = `export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    apt-get install -q -y --no-install-recommends ${installed.join(' ')}
    apt-get clean
    apt-get install -q -y --no-install-recommends --download-only ${installable.join(' ')}`;
  return cached(`${release}-${name}`, async (fresh) => {
    await execa('cp', ['-a', `${base}/.`, fresh]);
    // Without --private-network it is in the host's network, and reaches the mirror as the host does.
    const args = [
      '--quiet',
      `--directory=${fresh}`,
      '--register=no',
      '--keep-unit',
      '--pipe',
      '--resolv-conf=copy-host',
    ];
    await execa('systemd-nspawn', [...args, '/bin/sh', '-ec', script], { stdin: 'ignore' });
  });
};

/** The folder in the cache, made where it is missing; a half-made one is never left under its name. */
const cached = async (name: string, make: (fresh: string) => PromiseLike<unknown>): Promise<string> => {
  const base = join(cache, name);
  if (existsSync(base)) return base;
  mkdirSync(cache, { recursive: true });
  const fresh = `${base}.new-${process.pid}`;
  try {
    await make(fresh);
    // Another process may have been faster; its system is as good.
    if (!existsSync(base)) renameSync(fresh, base);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return base;
};
