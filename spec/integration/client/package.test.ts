import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FakeRegistry, quietPeers, startTestBroker } from '../../support/bus.ts';
import { root } from '../../support/node.ts';
import { succeeded, worker } from '../../support/peers.ts';

/** Somebody else's package that depends on the package as `npm pack` makes it; its dependencies are the checkout's. */
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'outside-'));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, 'triggerd'), { recursive: true });
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: root });
  execFileSync('sh', ['-c', 'tar -xzf triggerd-*.tgz -C node_modules/triggerd --strip-components=1'], { cwd: folder });
  symlinkSync(join(root, 'node_modules'), join(modules, 'triggerd/node_modules'));
  symlinkSync(join(root, 'node_modules/@types'), join(modules, '@types'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The code of docs/how-to/client.md, block by block, as it stands. */
const documented = (): string[] =>
  [...readFileSync(join(root, 'docs/how-to/client.md'), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(
    ([, code = '']) => code,
  );

it('the documentation’s example of the client library compiles with the package’s types', () => {
  const wrong =
    "\n// @ts-expect-error there is no such field\nclient.request({ service: 's', plugin: 'p', nope: 1 });\n";
  writeFileSync(join(folder, 'use.ts'), documented().join('\n') + wrong);
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
  execFileSync(join(root, 'node_modules/.bin/tsc'), [...options, 'use.ts'], { cwd: folder, stdio: 'inherit' });
});

it('a program of another package can send a request with the client library', async () => {
  const registry = new FakeRegistry().worker('team1', 'demo01').service('team1', 'demoservice', ['demo01']);
  const at = await startTestBroker({ registry, limits: quietPeers });
  const working = await worker(at.address);
  try {
    const [first = ''] = documented();
    const program = first.replace(
      /endpoint: '[^']+', key: '[^']+'/,
      // Not as text: a key may hold `$'`.
      () => `endpoint: '${at.address.endpoint}', key: '${at.address.key}'`,
    );
    writeFileSync(join(folder, 'use.mjs'), program);
    const running = execa(process.execPath, ['use.mjs'], { cwd: folder, env: { TRIGGERD_SECRET: 'secret' } });
    const { id, body, plugin } = await working.hears('request');
    expect([body, plugin]).toEqual(['uptime', 'command/command']);
    working.say({ op: 'partial', id, stream: 'out', offset: 0 }, 'up 3 days\n');
    working.say(succeeded(id));
    expect((await running).stdout).toBe('demo01 out: up 3 days\nsucceeded 0 1');
  } finally {
    await working.close();
    await at.broker.stop();
  }
});
