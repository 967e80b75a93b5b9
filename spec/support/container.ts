import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import type { Bridge } from './bridge.ts';
import { type Equipment, installDebian, type Release } from './debian.ts';
import { root } from './node.ts';
import { until } from './wait.ts';

/** A Debian with its own systemd as pid 1, on its own private network, with this host's etcd. */
export interface Container {
  /** Runs a command inside, as root. */
  run(...argv: string[]): Promise<{ stdout: string; stderr: string; exitCode: number | undefined }>;
  /** Like `run`, and throws when it fails. */
  must(...argv: string[]): Promise<string>;
  /** Copies a file of this host to a path inside. */
  copyIn(file: string, to: string): void;
  /** Shuts down as a machine does, one service after the other. Nothing on disk is lost. */
  poweroff(): Promise<void>;
  /** After `poweroff`. */
  boot(): Promise<void>;
  /** Ends it, running or not, and deletes all of it. */
  stop(): Promise<void>;
}

/** Where a container is in a network. It has the address after a reboot as well. */
export interface Address {
  readonly bridge: Bridge;
  /** The full name. */
  readonly hostname: string;
  /** With the length of the prefix: `192.168.56.11/24`. */
  readonly address: string;
}

export interface ContainerOptions {
  /** Whether the checkout is at /opt/triggerd, with this host's Node.js to run it; true by default. */
  readonly checkout?: boolean;
  /** What else of this host is shown inside, read-only: the path inside, and the path of this host. */
  readonly shown?: Readonly<Record<string, string>>;
  /** No network by default. */
  readonly network?: Address;
}

/**
 * Needs root, debootstrap and systemd-container. The first call bootstraps (about a minute); the system is thrown away after each use.
 * Without `equipment` the container has the host's etcd.
 */
export const bootContainer = async (
  release: Release,
  equipment?: Equipment,
  { checkout = true, shown = {}, network }: ContainerOptions = {},
): Promise<Container> => {
  const system = await installDebian(release, equipment);
  const args = [
    '--quiet',
    '--boot',
    `--directory=${system.folder}`,
    '--register=no',
    '--keep-unit',
    '--link-journal=no',
  ];
  // The name of a machine is part of the names of its network interfaces.
  args.push('--console=pipe', `--machine=${basename(dirname(system.folder))}`);
  args.push(network ? `--network-bridge=${network.bridge.name}` : '--private-network');
  if (checkout) args.push(`--bind-ro=${root}:/opt/triggerd`, '--bind-ro=/usr/bin/node');
  if (!equipment) args.push('--bind-ro=/usr/bin/etcd');
  args.push(...Object.entries(shown).map(([inside, outside]) => `--bind-ro=${outside}:${inside}`));

  let running: Running | undefined;
  const run: Container['run'] = (...argv) => {
    if (running === undefined) throw new Error(`the container is off: ${argv.join(' ')}`);
    return runInside(running.leader, argv);
  };
  const boot = async () => {
    const started = await start(args);
    // From then on its pids may be those of this host's processes.
    started.nspawn.once('exit', () => {
      running = undefined;
    });
    running = started;
  };
  const poweroff = async () => {
    if (running === undefined) throw new Error('the container is off already');
    const { nspawn } = running;
    await run('systemctl', 'poweroff');
    await endOf(nspawn);
  };
  const stop = async () => {
    if (running !== undefined) {
      const { nspawn } = running;
      await run('systemctl', 'poweroff', '--force', '--force');
      nspawn.kill('SIGTERM');
      await endOf(nspawn);
    }
    await system.remove();
  };
  try {
    if (network) await configureNetwork(system.folder, network);
    await boot();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    run,
    must: async (...argv) => {
      const { stdout, stderr, exitCode } = await run(...argv);
      if (exitCode !== 0) throw new Error(`${argv.join(' ')} exited ${exitCode}: ${stderr || stdout}`);
      return stdout;
    },
    copyIn: (file, to) => copyFileSync(file, join(system.folder, to)),
    boot,
    poweroff,
    stop,
  };
};

/** What there is of a container between `boot` and `poweroff`. */
interface Running {
  readonly nspawn: ChildProcess;
  /** The container's pid 1, as this host counts. */
  readonly leader: number;
}

const start = async (args: readonly string[]): Promise<Running> => {
  const nspawn = spawn('sh', ['-c', `${enterOwnCgroups} exec systemd-nspawn "$@"`, 'sh', ...args], { stdio: 'ignore' });
  try {
    const leader = await until(() => leaderOf(nspawn), 'the container to start');
    await until(
      async () => /running|degraded/.test((await runInside(leader, ['systemctl', 'is-system-running'])).stdout),
      'systemd',
      60_000,
    );
    await openControllers(leader);
    return { nspawn, leader };
  } catch (error) {
    nspawn.kill('SIGTERM');
    await endOf(nspawn);
    throw error;
  }
};

const runInside = async (leader: number, argv: readonly string[]) => {
  const environment = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C.UTF-8'];
  const { stdout, stderr, exitCode } = await execa(
    'nsenter',
    ['--target', String(leader), '--all', '--', '/usr/bin/env', '-i', ...environment, ...argv],
    { reject: false, stdin: 'ignore' },
  );
  return { stdout, stderr, exitCode };
};

/** As an installed machine has it: its full name on a loopback address, its address from systemd-networkd. */
const configureNetwork = async (folder: string, { hostname, address }: Address): Promise<void> => {
  const [short] = hostname.split('.');
  writeFileSync(join(folder, 'etc/hostname'), `${short}\n`);
  writeFileSync(join(folder, 'etc/hosts'), `127.0.0.1 localhost\n127.0.1.1 ${hostname} ${short}\n`);
  mkdirSync(join(folder, 'etc/systemd/network'), { recursive: true });
  writeFileSync(
    join(folder, 'etc/systemd/network/10-host0.network'),
    `[Match]\nName=host0\n\n[Network]\nAddress=${address}\n`,
  );
  await execa('systemctl', ['--quiet', `--root=${folder}`, 'enable', 'systemd-networkd']);
};

/** Those of cgroup v1, in which the container gets a cgroup of its own. */
const legacyControllers = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup/memory'].filter(existsSync);
const enterOwnCgroups = legacyControllers
  .map(
    (folder) => `mkdir -p ${folder}/triggerd-acceptance/$$ && echo $$ > ${folder}/triggerd-acceptance/$$/cgroup.procs;`,
  )
  .join(' ');

/** With cgroup v1 nspawn shows the controllers read-only: limits would be accepted and not hold. */
const openControllers = async (leader: number): Promise<void> => {
  for (const controller of legacyControllers) await runInside(leader, ['mount', '-o', 'remount,bind,rw', controller]);
  if (legacyControllers.length > 0) await runInside(leader, ['systemctl', 'daemon-reexec']);
};

/** When nspawn has ended. */
const endOf = async (nspawn: ChildProcess): Promise<void> => {
  if (nspawn.exitCode === null && nspawn.signalCode === null) await once(nspawn, 'exit');
  for (const controller of legacyControllers) await removeCgroup(`${controller}/triggerd-acceptance/${nspawn.pid}`);
};

/** Cgroups cannot be deleted as files are, and are busy until the kernel has seen off their last process. */
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
