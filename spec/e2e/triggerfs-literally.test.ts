/**
 * What the triggerFS documentation has its readers type, where it is not in `walkthrough.test.ts`: a plugin that is a
 * file directly in `pluginspath`, and a worker whose file has nothing but its section `[workers]`.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../support/node.ts';
import { type ServicesSite, startSite } from '../support/services-site.ts';
import { signalProcess } from '../support/signal.ts';
import { until } from '../support/wait.ts';

let site: ServicesSite;
let home: string;
let worker: ReturnType<typeof startWorker>;

const startWorker = () =>
  execa(join(root, 'bin/triggerfs-worker'), ['-identity', 'hp01', '-debug', 'true'], {
    cwd: home,
    env: { HOME: home, XDG_STATE_HOME: '', TRIGGERD_CONFIG: '' },
    reject: false,
  });

/** As “Custom Plugins” builds it: `go build main.go -o myplugin`, with the source beside it. */
const myplugin = `#!/bin/sh
data=$(cat)
echo "Writing payload: $data to file $TRIGGER_ARG_FILEPATH now"
printf '%s\\n' "$data" > "$TRIGGER_ARG_FILEPATH"
echo 'file has been written.'
`;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'triggerfs-literally-'));
  site = await startSite();
  mkdirSync(join(home, 'mynewplugin'));
  writeFileSync(join(home, 'mynewplugin/main.go'), 'package main\n');
  writeFileSync(join(home, 'mynewplugin/myplugin'), myplugin);
  chmodSync(join(home, 'mynewplugin/myplugin'), 0o755);
  const token = await site.addWorker('hp01');
  const [broker] = site.brokers;
  writeFileSync(
    join(home, 'triggerfs.toml'),
    `### WORKERS SECTION
[workers]
# path to plugins folder
pluginspath = "${home}/mynewplugin"
broker = "${broker?.endpoint}"
broker_key = "${broker?.key}"

# subsections of [workers] section identified by identities prefixed with "workers."
[workers.team1.hp01]
token = '${token}'
`,
    { mode: 0o600 },
  );
  worker = startWorker();
  let log = '';
  worker.stderr.on('data', (part) => {
    log += part;
  });
  await until(() => log.includes('- Connected'), 'the worker to be connected');
});
afterAll(async () => {
  if (worker !== undefined) signalProcess(worker, 'SIGTERM');
  await worker;
  await site?.remove();
  rmSync(home, { recursive: true, force: true });
});

describe('the documentation of triggerFS, typed in', () => {
  it('a worker without [main] runs a plugin that is a file directly in pluginspath', async () => {
    const file = join(home, 'myfile.txt');
    const flags = ['-service', 'hp01', '-plugin', 'myplugin', '-timeout', '30s', '-command', 'hello world'];
    const { stdout, stderr, exitCode } = await site.run('triggerfs-client', [...flags, '-args', `filepath=${file}`]);
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect(
      stdout
        .replace(/^[\d/]+ [\d:]+/, '2018/05/02 00:52:48')
        .replace(/[\d.]+m?s$/m, '118.079784ms')
        .trim(),
    ).toBe(
      `2018/05/02 00:52:48 Sending message to service hp01
[myplugin@hp01] Writing payload: hello world to file ${file} now
[myplugin@hp01] file has been written.

Exit code: 0
Total messages: 2
Time ran: 118.079784ms`,
    );
    expect(readFileSync(file, 'utf8')).toBe('hello world\n');
  });

  it('-arg, -args, --arg and --args mean the same in every command that has arguments', async () => {
    for (const flag of ['-arg', '-args', '--arg', '--args']) {
      const file = join(home, `file${flag}`);
      const flags = ['-service', 'hp01', '-plugin', 'myplugin', '-command', 'x'];
      expect(await site.run('triggerfs-client', [...flags, flag, `filepath=${file}`])).toMatchObject({ exitCode: 0 });
      expect([flag, existsSync(file)]).toEqual([flag, true]);
    }
  });
});
