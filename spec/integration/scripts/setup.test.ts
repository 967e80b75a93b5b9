import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it, onTestFinished } from 'vitest';
import { root } from '../../support/node.ts';

/**
 * A checkout with `scripts/setup` on a Debian with nothing installed: programs that would change this machine write down how they
 * were called instead. `npm` fails `npmFailures` times, as where no prebuilt binary fits.
 */
const bareDebian = (npmFailures = 0) => {
  const dir = mkdtempSync(join(tmpdir(), 'triggerd-setup-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const program = (path: string, script: string): void => {
    writeFileSync(join(dir, path), `#!/bin/sh\n${script}\n`);
    chmodSync(join(dir, path), 0o755);
  };
  const noted = `echo "$(basename "$0") $*" >> ${dir}/calls`;
  for (const folder of ['bin', 'scripts', 'node_modules']) mkdirSync(join(dir, folder));
  cpSync(join(root, 'scripts/setup'), join(dir, 'scripts/setup'));
  program('scripts/build', noted);
  writeFileSync(join(dir, 'package-lock.json'), '{}');
  program('bin/dpkg-query', 'exit 1');
  program('bin/apt-get', noted);
  program('bin/id', 'echo 0');
  program('bin/systemctl', `[ "$1" = is-enabled ] || ${noted}`);
  program(
    'bin/npm',
    `${noted}; [ "$(grep -c '^npm' ${dir}/calls)" -gt ${npmFailures} ] && touch node_modules/.package-lock.json`,
  );
  return {
    run: (...args: string[]) =>
      execa(join(dir, 'scripts/setup'), args, {
        env: { PATH: `${join(dir, 'bin')}:${process.env['PATH']}` },
        reject: false,
      }),
    calls: () => (existsSync(join(dir, 'calls')) ? readFileSync(join(dir, 'calls'), 'utf8').trim().split('\n') : []),
  };
};

const installedBy = (calls: readonly string[]): string[][] =>
  calls
    .filter((call) => call.startsWith('apt-get install'))
    .map((call) => call.split(' ').filter((word, index) => index > 1 && !word.startsWith('-')));

it('the set-up of the demo installs etcd and Puppet, and nothing else', async () => {
  const debian = bareDebian();
  const { stderr, exitCode } = await debian.run('demo');
  expect(exitCode).toBe(0);
  expect(installedBy(debian.calls())).toEqual([['etcd-server', 'puppet-agent']]);
  expect(stderr).toContain('installing Debian packages, for demo: etcd-server puppet-agent\n');
  expect(stderr).toContain('installing npm packages');
});

it('the set-up of the demo installs a compiler where npm finds no prebuilt binary, and says so first', async () => {
  const debian = bareDebian(1);
  const { stderr, exitCode } = await debian.run('demo');
  expect(exitCode).toBe(0);
  expect(installedBy(debian.calls())).toEqual([
    ['etcd-server', 'puppet-agent'],
    ['python3', 'make', 'g++'],
  ]);
  expect(stderr).toContain('installing Debian packages, for demo: python3 make g++');
});

it('an npm that fails although there is a compiler ends the set-up', async () => {
  const debian = bareDebian(2);
  expect((await debian.run('demo')).exitCode).not.toBe(0);
  expect(debian.calls().filter((call) => call.startsWith('npm'))).toHaveLength(2);
  expect(debian.calls()).not.toContain('build ');
});

it('the set-up of the package needs a compiler, and no etcd', async () => {
  const debian = bareDebian();
  await debian.run('package');
  expect(installedBy(debian.calls())).toEqual([['python3', 'make', 'g++']]);
});

it('the set-up of the tests needs more, and names all of it before it installs', async () => {
  const debian = bareDebian();
  const { stderr } = await debian.run();
  const [packages = []] = installedBy(debian.calls());
  expect(packages).toEqual(expect.arrayContaining(['etcd-server', 'puppet-agent', 'strace', 'vagrant', 'g++']));
  expect(stderr).toContain(`installing Debian packages, for test: ${packages.join(' ')}`);
});

it('services that come with the packages are neither started nor enabled', async () => {
  const debian = bareDebian();
  await debian.run('demo');
  const calls = debian.calls();
  const masked = calls.indexOf('systemctl mask --quiet etcd.service');
  const installed = calls.findIndex((call) => call.startsWith('apt-get install'));
  expect(masked).toBeGreaterThan(-1);
  expect(installed).toBeGreaterThan(masked);
  expect(calls.slice(installed)).toEqual(
    expect.arrayContaining(['systemctl unmask --quiet etcd.service', 'systemctl disable --quiet etcd.service']),
  );
});

it('the set-up refuses an unknown purpose, and changes nothing', async () => {
  const debian = bareDebian();
  const { stderr, exitCode } = await debian.run('everything');
  expect(exitCode).toBe(1);
  expect(stderr).toContain('“everything” is not one of demo, package, test');
  expect(debian.calls()).toEqual([]);
});
