import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startEtcd } from '../support/etcd.ts';
import { createNode, root } from '../support/node.ts';
import { openShell, patternOf, squeezed, stepsOf } from '../support/page.ts';
import { createPuppet } from '../support/puppet.ts';

describe('the README', () => {
  it('shows what the demo shows', async () => {
    const shown = /^```\n(── web01: puppet apply\n[\s\S]*?)^```$/m.exec(readFileSync(join(root, 'README.md'), 'utf8'));
    const { stdout } = await execa(join(root, 'node_modules/.bin/tsx'), ['scripts/demo.ts'], {
      cwd: root,
      env: { NO_COLOR: '1', LANG: 'C.UTF-8' },
    });
    expect(squeezed(stdout)).toMatch(patternOf(`…${shown?.[1]}…`));
  }, 120_000);

  it('has first commands that work as they stand', async () => {
    const etcd = await startEtcd();
    onTestFinished(etcd.stop);
    const { stdout: name } = await execa('hostname', ['-f'], { reject: false });
    const puppet = createPuppet('here', [etcd.endpoint]);
    onTestFinished(puppet.remove);
    const manifest = puppet.manifest('site.pp', `file { '${puppet.dir}/made': content => 'x' }`);
    const runCommand = ['puppet', 'apply', ...puppet.options, manifest].join(' ');
    const node = createNode({
      name: (name || hostname()).toLowerCase(),
      etcd: [etcd.endpoint],
      watch: `run_cmd = "${runCommand}"`,
    });
    onTestFinished(node.remove);
    await node.start();
    const { PATH } = process.env;
    const shell = openShell(puppet.dir, {
      PATH: `${root}/bin:${PATH}`,
      TRIGGERD_CONFIG: node.configFile,
      COLUMNS: '100',
    });
    onTestFinished(shell.close);

    const [first, queue, ...others] = stepsOf('README.md').map(({ commands }) => commands);
    expect(others).toEqual([]);
    expect(squeezed(await shell.type(first ?? ''))).toMatch(
      / present .* finished succeeded exit 2 .*1 changed .*1 finished .*1 succeeded .*Job 1 ran on /,
    );
    expect(await shell.type(`${queue}echo "exit code $?"`)).toContain('exit code 0');
    expect(await node.json('queue')).toMatchObject([{ id: 1 }, { label: 'backup', result: 'succeeded' }]);
  }, 90_000);
});
