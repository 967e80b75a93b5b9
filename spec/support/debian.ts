import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

export type Release = 'bookworm' | 'trixie';

/** Debian packages of a container. They come from the host's mirror while the system is prepared. */
export interface Equipment {
  /** Names the prepared system in the cache. */
  readonly name: string;
  readonly installed: readonly string[];
  /** In apt's cache, to be installed inside. */
  readonly installable: readonly string[];
}

/** A system on disk. */
export interface System {
  readonly folder: string;
  remove(): Promise<void>;
}

/** Where bootstrapped systems are kept between runs. */
const cache = '/var/cache/triggerd-acceptance';

/** A Debian of its own for one test. Nothing runs in it yet. */
export const installDebian = async (release: Release, equipment?: Equipment): Promise<System> =>
  writable(await prepareDebian(release, equipment));

/** Downloads and installs what is not in the cache yet; gives the folder that `installDebian` starts from. */
export const prepareDebian = (release: Release, equipment?: Equipment): Promise<string> =>
  equipment ? equipped(release, equipment) : bootstrapped(release);

/** Shows `base` in a new folder; what is written there does not reach `base`. */
const writable = async (base: string): Promise<System> => {
  const parent = mkdtempSync(join(tmpdir(), 'triggerd-container-'));
  const [folder, upper, work] = ['root', 'upper', 'work'].map((name) => join(parent, name)) as [string, string, string];
  for (const each of [folder, upper, work]) mkdirSync(each);
  const options = `lowerdir=${base},upperdir=${upper},workdir=${work}`;
  const mount = await execa('mount', ['-t', 'overlay', 'overlay', '-o', options, folder], { reject: false });
  // Not every kernel and file system can do that; a copy takes longer and serves as well.
  if (mount.failed) await execa('cp', ['-a', `${base}/.`, folder]);
  return {
    folder,
    remove: async () => {
      if (!mount.failed) await execa('umount', [folder]);
      rmSync(parent, { recursive: true, force: true });
    },
  };
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

/** The folder of a bootstrapped Debian with these packages; to be read, not written. */
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
