import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startStubDaemon, takenOver } from '../../support/stub-daemon.ts';
import { at, binary, trigger } from './trigger.ts';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cli-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const html = (response: ServerResponse): typeof takenOver => {
  response.writeHead(500).end('<html>');
  return takenOver;
};
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe('help and version', () => {
  it('help and version go to stdout and exit 0', async () => {
    expect(await trigger(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    for (const args of [['--help'], ['help'], ['queue', 'add', '--help'], ['help', 'queue', 'add']]) {
      const { code, stdout } = await trigger(args);
      expect([args, code, stdout]).toEqual([args, 0, expect.stringMatching(/^Usage: trigger [\s\S]*Examples:/)]);
    }
  });

  it('help and version work through a symbolic link on PATH', async () => {
    symlinkSync(binary, join(folder, 'trigger'));
    const { stdout } = await trigger([], { through: ['sh', '-c', `PATH=${folder}:$PATH; trigger --version`] });
    expect(stdout).toBe(`${version}\n`);
  });
});

describe('a wrong command line exits 2', () => {
  it.each([
    [[], 'Usage: trigger'],
    [['quue'], "unknown command 'quue'\n(Did you mean queue?)"],
    [['queue', 'ad'], 'unknown command “queue ad”, did you mean “add”?'],
    [['queue', 'ad', '--', 'ls'], 'unknown command “queue ad”, did you mean “add”?'],
    [['q', 'ad', 'ls', 'x'], 'unknown command “queue ad”, did you mean “add”?'],
    [['queue', 'cat', '--json'], 'has no JSON form'],
    [['--json', 'queue', 'tail', '3'], 'has no JSON form'],
    [['queue', 'tail', '-n', '-1'], 'Expected a whole number'],
    [['queue', '--al'], "unknown option '--al'\n(Did you mean --all?)"],
    [['queue', 'retry'], "missing required argument 'id'"],
    [['queue', 'kill', 'x'], 'Expected the ID of a job, a whole number.'],
    [['queue', 'kill', '1', '2'], 'too many arguments'],
    [['queue', 'add'], 'there is nothing to add'],
    [['queue', 'add', '--timeout', '5', 'x'], 'Expected a duration'],
    [['queue', 'add', '--arg', 'x', 'y'], 'Expected NAME=VALUE.'],
    [['queue', 'slots', '0'], 'Expected a whole number, at least 1.'],
    [['fire', 'x'], 'name the trigger, and its nodes with --host; or name an earlier firing with --rerun'],
    [
      ['fire', '--rerun', '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD', '--host', 'lb01'],
      '--rerun takes name, nodes, plugin and arguments',
    ],
    [['fire', 'x', '--host', 'lb01', '--failed'], '--failed needs --rerun FIRING'],
    [['fire', 'x', '--host', 'lb01', '--all'], 'needs --wait'],
    [['fire', 'x', '--host', 'a,,b'], 'separated by commas'],
    [['fire', 'x', '--host', 'a', '--timeout', '5s'], 'needs --wait'],
  ])('the wrong command line %j exits 2', async (args, message) => {
    const { code, stdout, stderr } = await trigger(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it('a wrong command line is reported in JSON with --json', async () => {
    const { code, stderr } = await trigger(['--json', 'queue', 'kill', 'x']);
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'usage' } });
  });
});

describe('a daemon that cannot be reached exits 3', () => {
  it('a missing socket exits 3', async () => {
    const { code, stderr } = await trigger(['queue'], { env: { TRIGGERD_SOCKET: '/nonexistent/s' } });
    expect([code, stderr]).toEqual([
      3,
      expect.stringMatching(/there is no socket \/nonexistent\/s.*\n {2}Start triggerd/),
    ]);
  });

  it('a socket on which nothing listens exits 3', async () => {
    const socket = file('socket', '');
    expect((await trigger(['queue', '--socket', socket])).stderr).toContain(`nothing listens on ${socket}`);
  });

  it.runIf(process.getuid?.() === 0)('a socket without permission exits 3', async () => {
    const daemon = await startStubDaemon({});
    chmodSync(daemon.folder, 0o755);
    chmodSync(daemon.socket, 0o600);
    const through = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const { code, stderr } = await trigger(['queue'], { ...at(daemon), through });
    await daemon.close();
    expect([code, stderr]).toEqual([3, expect.stringContaining('only root and the socket’s group may use it')]);
  });

  it('a socket on which something else listens exits 3', async () => {
    const socket = join(folder, 'other');
    const server = createServer((connection) => connection.end('220 mail\r\n')).listen(socket);
    await once(server, 'listening');
    const { code, stderr } = await trigger(['queue', 'kill', '1', '--json', '--socket', socket]);
    server.close();
    expect([code, JSON.parse(stderr)]).toMatchObject([3, { error: { code: 'daemon-answer' } }]);
  });

  it('an answer that is not JSON exits 3', async () => {
    const daemon = await startStubDaemon({ 'GET /v1/nodes': (_, response) => html(response) });
    const { code, stderr } = await trigger(['nodes'], at(daemon));
    await daemon.close();
    expect([code, stderr]).toEqual([3, expect.stringContaining('not JSON')]);
  });
});

describe('the socket', () => {
  it('the socket is the configured one, even where the configuration has another problem', async () => {
    const config = file('t.toml', '[node]\nsocket = "/from/config"\nnam = 3');
    const { stderr } = await trigger(['queue', '--config', config], { env: { TRIGGERD_SOCKET: '' } });
    expect(stderr).toContain('there is no socket /from/config');
  });

  it('the socket is /run/triggerd/triggerd.sock where the file names none', async () => {
    const config = file('t.toml', '[node]\nname = "a"');
    const { stderr } = await trigger(['queue'], { env: { TRIGGERD_SOCKET: '', TRIGGERD_CONFIG: config } });
    expect(stderr).toContain('/run/triggerd/triggerd.sock');
  });

  it('the socket is not guessed where the named file is missing', async () => {
    const { code, stderr } = await trigger(['queue', '--config', '/nonexistent/t.toml'], {
      env: { TRIGGERD_SOCKET: '' },
    });
    expect([code, stderr]).toEqual([2, expect.stringContaining('/nonexistent/t.toml: no such file')]);
  });
});

describe('trigger config', () => {
  it('config check names all problems and exits 2', async () => {
    const config = file('t.toml', '[node]\nnam = "x"\n[etcd]\nprefix = 3');
    const { code, stdout, stderr } = await trigger(['config', 'check', config]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^trigger: .*t\.toml:\n {2}node\.nam: .*\n {2}etcd\.prefix: .*\n/);
    const json = JSON.parse((await trigger(['config', 'check', '--json', config])).stderr);
    expect(json.error.details.problems).toHaveLength(2);
  });

  it('config check succeeds with a good file', async () => {
    const config = file('t.toml', '[node]\nname = "a"');
    expect(await trigger(['config', 'check', config])).toEqual({ code: 0, stdout: `${config}: ok\n`, stderr: '' });
    expect(JSON.parse((await trigger(['config', 'check', '--json', config])).stdout)).toEqual({
      file: config,
      ok: true,
      warnings: [],
    });
  });

  it('config check and print warn of a secret that others can read, and of workers that serve next to nothing', async () => {
    const config = file('t.toml', '[main]\nsecret = "hunter2"\n[workers.team1.demo01]\ntoken = "hush"');
    chmodSync(config, 0o644);
    const exposed = `${config} holds secrets (main.secret, workers.team1.demo01.token) and every user can read it (mode 0644): chmod 600 ${config}`;
    const { code, stdout } = await trigger(['config', 'check', config]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^.*: ok\nwarning: .*\nwarning: .*set \[workers\] allow = \["command"\]\n$/),
    ]);
    expect(stdout).toContain(`warning: ${exposed}\n`);
    const { warnings } = JSON.parse((await trigger(['config', 'check', '--json', config])).stdout);
    expect(warnings).toEqual([exposed, expect.stringContaining('only the plugins echo, echo/fast and monitor')]);
    expect((await trigger(['config', 'print', '--config', config])).stdout).toContain(`# warning: ${exposed}\n`);
    chmodSync(config, 0o600);
    expect((await trigger(['config', 'check', config])).stdout).not.toContain('holds secrets');
  });

  it('config check names the place of a syntax error', async () => {
    const config = file('t.toml', '[node]\nname = "a');
    const { code, stderr } = await trigger(['config', 'check', '--config', config]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/t\.toml:2:\d+: /)]);
  });

  it('config print masks secrets and follows flag, environment and file', async () => {
    const config = file('t.toml', '[main]\nsecret = "hunter2"\n[node]\nsocket = "/file"');
    const env = { TRIGGERD_CONFIG: config, TRIGGERD_JOBS_GRACE: '3s' };
    const { code, stdout } = await trigger(['config', 'print', '--socket', '/flag'], { env });
    expect(code).toBe(0);
    expect(stdout).toContain('secret = "********"  # file');
    expect(stdout).toContain('grace = "3s"  # $TRIGGERD_JOBS_GRACE');
    expect(stdout).toContain('socket = "/flag"  # flag');
    expect(stdout).not.toContain('hunter2');
    expect(JSON.parse((await trigger(['config', 'print', '--json'], { env })).stdout).main).toEqual({
      secret: '********',
    });
  });
});
