import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../support/etcd.ts';
import { createNode, root, type TestNode } from '../support/node.ts';
import { openShell, patiently, patternOf, squeezed, stepsOf } from '../support/page.ts';
import { blocksOf } from '../support/pages.ts';
import { createPuppet } from '../support/puppet.ts';
import { until } from '../support/wait.ts';

const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** What the how-to pages tell its reader to type next, on this one machine. */
const stepsBelow = (page: string, heading: string) => stepsOf(page).filter((step) => step.heading === heading);

/** What `trigger` of the package finds in /etc/triggerd. The programs of triggerFS read the reader's own file. */
const triggerOf = (home: string, { configFile }: TestNode): string => {
  const file = join(home, 'trigger');
  writeFileSync(file, `#!/bin/sh\nTRIGGERD_CONFIG=${configFile} exec ${root}/bin/trigger "$@"\n`);
  chmodSync(file, 0o755);
  return home;
};

describe('the README', () => {
  it('the README’s picture is what the demo prints', async () => {
    const shown = /^```\n(── web01: puppet apply\n[\s\S]*?)^```$/m.exec(readme);
    const { stdout } = await execa(join(root, 'node_modules/.bin/tsx'), ['scripts/demo.ts'], {
      cwd: root,
      env: { NO_COLOR: '1', LANG: 'C.UTF-8' },
    });
    expect(squeezed(stdout)).toMatch(patternOf(`…${shown?.[1]}…`));
  }, 600_000);

  it('the README’s first commands work as printed, and so do those for the first service and the first trigger file', async () => {
    // As packaging/triggerd.toml has it: an etcd of the daemon's own.
    const etcdPort = String(await freePort());
    const env = { TRIGGERD_ETCD_EMBEDDED: 'true', TRIGGERD_ETCD_EMBEDDED_PORT: etcdPort };
    const { stdout: name } = await execa('hostname', ['-f'], { reject: false });
    const puppet = createPuppet('here', [`http://127.0.0.1:${etcdPort}`]);
    onTestFinished(puppet.remove);
    const home = mkdtempSync(join(tmpdir(), 'triggerd-reader-'));
    onTestFinished(() => rmSync(home, { recursive: true, force: true }));
    const manifest = puppet.manifest('site.pp', `file { '${puppet.dir}/made': content => 'x' }`);
    const runCommand = ['puppet', 'apply', ...puppet.options, manifest].join(' ');
    const port = String(await freePort());
    const [broker = ''] = blocksOf('docs/how-to/services.md', 'toml');
    const node = createNode({
      name: (name || hostname()).toLowerCase(),
      etcd: ['http://127.0.0.1:2379'],
      env,
      watch: `run_cmd = "${runCommand}"`,
      config: broker.replace('5555', port),
    });
    onTestFinished(node.remove);
    await node.start();
    const shell = openShell(home, {
      PATH: `${triggerOf(home, node)}:${root}/bin:${process.env['PATH']}`,
      HOME: home,
      TRIGGERD_WORKERS_PLUGINSPATH: join(root, 'plugins'),
      COLUMNS: '100',
    });
    onTestFinished(shell.close);
    const here = (commands = '') =>
      patiently(commands).replaceAll('5555', port).replaceAll('/mnt/triggerfs', `${home}/mnt`);

    const [first, queue, service, ask, file, ...others] = [
      ...stepsOf('README.md'),
      ...stepsBelow('docs/how-to/services.md', 'On one machine'),
      ...stepsBelow('docs/how-to/trigger-files.md', 'On the machine of the worker'),
    ].map(({ commands }) => here(commands));
    expect(others).toEqual([]);
    expect(squeezed(await shell.type(first ?? ''))).toMatch(
      / present .* finished succeeded exit 2 .*1 changed .*1 finished .*1 succeeded .*Job 1 ran on /,
    );
    expect(await shell.type(`${queue}echo "exit code $?"`)).toContain('exit code 0');
    expect(await node.json('queue')).toMatchObject([{ id: 1 }, { label: 'backup', result: 'succeeded' }]);

    await shell.type(service ?? '');
    const online = () => shell.type("triggerfs-cli -c 'show workers' | grep -c ONLINE");
    await until(async () => /^1$/m.test(await online()), 'the worker to be connected');
    expect(squeezed(await shell.type(ask ?? ''))).toMatch(
      /\(roundrobin\) \[command\/command@demo01\] .* load average: .* Exit code: 0 /,
    );
    expect(await shell.type(file ?? '')).toContain(' load average: ');
    await shell.type(`fusermount3 -u ${home}/mnt`);
  });
});
