import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WorkerMessage } from '../../../src/bus/messages.ts';
import { FakeRegistry, quietPeers, startTestBroker, type TestBroker } from '../../support/bus.ts';
import { temporaryFolder } from '../../support/journal.ts';
import { root } from '../../support/node.ts';
import { succeeded, type TestWorker, worker } from '../../support/peers.ts';
import { openScreen } from '../../support/screen.ts';
import { until } from '../../support/wait.ts';

/** `triggerfs-client` and `trigger request` against a real broker; the workers say what the test tells them to. */
const registry = new FakeRegistry();
for (const identity of ['demo01', 'demo02']) registry.worker('team1', identity);
registry.service('team1', 'demoservice', ['demo01']);
registry.service('team1', 'all', ['demo01', 'demo02'], { algorithm: 'mirror' });

let at: TestBroker;
let first: TestWorker;
let second: TestWorker;
let home: string;

beforeAll(async () => {
  at = await startTestBroker({ registry, limits: quietPeers });
  first = await worker(at.address);
  second = await worker(at.address, { identity: 'demo02' });
});
afterAll(async () => {
  await first.close();
  await second.close();
  await at.broker.stop();
});
beforeEach(() => {
  home = temporaryFolder();
  configure();
  first.heard.length = 0;
  second.heard.length = 0;
});

const configure = ({ secret = 'secret', endpoint = at.address.endpoint, more = '' } = {}): void =>
  writeFileSync(
    join(home, 'triggerfs.toml'),
    `[main]
team = "team1"
identity = "hp"
secret = "${secret}"
broker = "${endpoint}"
broker_key = "${at.address.key}"
${more}`,
    { mode: 0o600 },
  );

const start = (program: string, args: readonly string[], input = '', env = {}) =>
  execa(join(root, 'bin', program), args, {
    reject: false,
    input,
    env: { HOME: home, NO_COLOR: '1', ...env },
    stripFinalNewline: false,
  });

const client = (...args: string[]) => start('triggerfs-client', args);
const onDemo = ['-service', 'demoservice', '-plugin', 'command'] as const;

const say = (from: TestWorker, message: WorkerMessage, body = ''): void => from.say(message, body);
const print = (from: TestWorker, id: string, offset: number, text: string, stream: 'out' | 'err' = 'out'): void =>
  say(from, { op: 'partial', id, stream, offset }, text);

describe('triggerfs-client', () => {
  it('triggerfs-client prints what the documentation shows, and exits with the plugin’s exit code', async () => {
    const running = client(...onDemo, '-timeout', '10s', '-command', 'uptime', '-args', 'a=1', '-args', 'b=x=y');
    const { id, body, plugin, args, timeout_ms } = await first.hears('request');
    expect([body, plugin, args]).toEqual(['uptime', 'command/command', { a: '1', b: 'x=y' }]);
    expect(timeout_ms).toBeGreaterThan(5_000);
    expect(timeout_ms).toBeLessThanOrEqual(10_000);
    print(first, id, 0, ' 21:14:07 up  8:26,  7 users\n');
    say(first, succeeded(id, { result: 'failed', exit_code: 7 }));
    const { stdout, stderr, exitCode } = await running;
    expect(stdout).toMatch(
      /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d Sending message to service demoservice \(roundrobin\)\n\[command\/command@demo01\] {2}21:14:07 up {2}8:26, {2}7 users\n\nExit code: 7\nTotal messages: 1\nTime ran: [\d.]+m?s\n\n$/,
    );
    expect(stderr).toBe('');
    expect(exitCode).toBe(7);
  });

  it('triggerfs-client sends stdin unchanged, names no algorithm for a bare worker, and takes double dashes', async () => {
    const running = start('triggerfs-client', ['--service=demo01', '--plugin', 'echo'], 'up\0time\n');
    const { id, body, plugin } = await first.hears('request');
    expect([body, plugin]).toEqual(['up\0time\n', 'echo']);
    say(first, succeeded(id));
    const { stdout, exitCode } = await running;
    expect(stdout).toMatch(/Sending message to service demo01\n\nExit code: 0\nTotal messages: 0\n/);
    expect(exitCode).toBe(0);
  });

  it('triggerfs-client shows text without a newline after a pause, and continues in the same line', async () => {
    for (const ask of [
      () => client(...onDemo, '-command', 'x'),
      () => start('trigger', ['request', '--service', 'demoservice', '--plugin', 'echo', '--command', 'x']),
    ]) {
      first.heard.length = 0;
      const running = ask();
      let shown = '';
      running.stdout?.on('data', (data: Buffer) => {
        shown += String(data);
      });
      const { id } = await first.hears('request');
      print(first, id, 0, 'Password: ');
      await until(() => /@demo01\] Password: $/.test(shown), 'the prompt');
      print(first, id, 10, '10%\r');
      await until(() => shown.endsWith('Password: 10%\r'), 'the progress');
      print(first, id, 14, '100%\nend');
      await until(
        () => shown.endsWith('100%\n[command/command@demo01] end') || shown.endsWith('100%\n[echo@demo01] end'),
        'the next line',
      );
      say(first, succeeded(id));
      expect((await running).exitCode).toBe(0);
      expect(shown).toMatch(/Password: 10%\r100%\n\[.*@demo01\] end\n/);
      expect(`${shown}${String((await running).stderr)}`).toContain('Total messages: 2');
    }
  });

  it('triggerfs-client ends a partly shown line before another one begins', async () => {
    const running = client(...onDemo, '-command', 'x');
    let shown = '';
    running.stdout?.on('data', (data: Buffer) => {
      shown += String(data);
    });
    const { id } = await first.hears('request');
    print(first, id, 0, 'half');
    await until(() => shown.endsWith(' half'), 'the half line');
    print(first, id, 4, 'oops\n', 'err');
    say(first, succeeded(id));
    await running;
    expect(shown).toMatch(/\] half\n\[command\/command@demo01\] oops\n/);
  });

  it('triggerfs-client prints a line as soon as it is whole, and never mixes those of two workers', async () => {
    const running = client('-service', 'all', '-plugin', 'echo', '-command', 'x');
    const seen = (): string => shown;
    let shown = '';
    running.stdout?.on('data', (data: Buffer) => {
      shown += String(data);
    });
    const { id } = await first.hears('request');
    await second.hears('request');
    print(first, id, 0, 'one, ');
    print(second, id, 0, 'zwei\n');
    await until(() => seen().includes('[echo@demo02] zwei\n'), 'the first whole line');
    expect(seen()).not.toContain('one');
    print(first, id, 5, 'two\nthree');
    say(first, succeeded(id));
    say(second, succeeded(id, { result: 'failed', exit_code: 4 }));
    const { stdout, stderr, exitCode } = await running;
    expect(stdout).toContain(
      '(mirror)\n[echo@demo02] zwei\n[echo@demo01] one, two\n[echo@demo01] three\n\nExit code: 4\nTotal messages: 3\n',
    );
    expect(stderr).toBe('triggerfs-client: demo02: exit code 4\n');
    expect(exitCode).toBe(4);
  });

  it('triggerfs-client passes on bytes that are not UTF-8', async () => {
    const running = execa(join(root, 'bin/triggerfs-client'), [...onDemo, '-command', 'x'], {
      encoding: 'buffer',
      env: { HOME: home },
    });
    const { id } = await first.hears('request');
    first.connection.send(
      JSON.stringify({ op: 'partial', id, stream: 'out', offset: 0 }),
      Buffer.from([0xff, 0x1b, 0x0a]),
    );
    say(first, succeeded(id));
    const { stdout } = await running;
    expect(Buffer.from(stdout).includes(Buffer.from([0x20, 0xff, 0x1b, 0x0a]))).toBe(true);
  });

  it.each([
    ['timed-out', null, 124, 'demo01: timed out: 10s have ended'],
    ['killed', 'SIGKILL', 137, 'demo01: killed by SIGKILL: 10s have ended'],
    ['failed-to-start', null, 127, 'demo01: could not be started: 10s have ended'],
    ['interrupted', null, 1, 'demo01: interrupted: 10s have ended'],
  ] as const)('triggerfs-client exits as a shell would for a job that is %s', async (result, signal, code, note) => {
    const running = client(...onDemo, '-command', 'x');
    const { id } = await first.hears('request');
    say(first, succeeded(id, { result, signal, exit_code: null, reason: '10s have ended' }));
    const { stdout, stderr, exitCode } = await running;
    expect(stdout).toContain(`Exit code: ${code}\n`);
    expect(stderr).toBe(`triggerfs-client: ${note}\n`);
    expect(exitCode).toBe(code);
  });

  it('triggerfs-client prints why it was refused', async () => {
    const running = client(...onDemo, '-command', 'x');
    const { id } = await first.hears('request');
    const ending = {
      result: 'refused',
      exit_code: null,
      code: 'plugin-not-found',
      reason: 'no \u001b[31mplugin',
    } as const;
    say(first, succeeded(id, ending));
    const { stderr, exitCode } = await running;
    expect(stderr).toMatch(/^triggerfs-client: demo01: no \\e\[31mplugin\n {2}\S/);
    expect(exitCode).toBe(1);
  });

  it.each([
    [['-service', 'nowhere', '-plugin', 'x'], {}, 1, 'nowhere'],
    [['-service', 'demoservice', '-plugin', '../x'], {}, 2, 'is not a plugin name'],
    [['-plugin', 'x'], {}, 2, '--service is missing'],
    [['-sevice', 'x'], {}, 2, 'unknown option'],
    [['-service', 'x', '-plugin', 'x', '-timeout', '5'], {}, 2, 'Expected a duration'],
    [['-service', 'x', '-plugin', 'x'], { secret: 'wrong' }, 1, 'wrong team, identity or password'],
    [['-service', 'x', '-plugin', 'x'], { endpoint: 'tcp://127.0.0.1:9' }, 3, 'nothing listens at'],
    [
      ['-service', 'x', '-plugin', 'x'],
      { more: '\n[triggerfs-client]\nlogfile = "/nowhere/log"' },
      2,
      '/nowhere/log cannot be written',
    ],
  ])('triggerfs-client refuses %j with %j', async (args, config, code, text) => {
    configure(config);
    const { stdout, stderr, exitCode } = await client(...args, '-command', 'x');
    expect(stderr).toContain(text);
    expect(stderr).toMatch(/^triggerfs-client: .+\n {2}\S.+\n$/);
    expect(stdout).toBe('');
    expect(exitCode).toBe(code);
  });

  it('triggerfs-client keeps a copy in its log file, for its owner only', async () => {
    const file = join(home, 'client.log');
    configure({ more: `\n[triggerfs-client]\nlogfile = "${file}"` });
    const running = client(...onDemo, '-command', 'x');
    const { id } = await first.hears('request');
    print(first, id, 0, 'up\n');
    say(first, succeeded(id));
    const { stdout } = await running;
    expect(readFileSync(file, 'utf8')).toBe(stdout);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await client('-service', 'nowhere', '-plugin', 'x', '-command', 'x');
    expect(readFileSync(file, 'utf8')).toContain('triggerfs-client: ');
  });

  it.each([
    ['a firing', { chain: ['r1', 'f1'].map((firing) => ({ firing, node: 'n', trigger: 't' })) }],
    ['a request', { chain: [], request: { id: 'f1', chain: ['r1', 'f1'] } }, { TRIGGERD_ACTS_AS: 'machine' }],
  ])(
    'triggerfs-client continues the chain of the job that it runs in: that of %s',
    async (_, document, env: Readonly<Record<string, string>> = {}) => {
      const context = join(home, 'context.json');
      writeFileSync(context, JSON.stringify({ format: 1, ...document, ttl: 3 }));
      const running = start('triggerfs-client', [...onDemo, '-command', 'x'], '', {
        ...env,
        TRIGGERD_CONTEXT: context,
      });
      const { id, chain, ttl } = await first.hears('request');
      expect([chain, ttl]).toEqual([['r1', 'f1'], 3]);
      say(first, succeeded(id));
      expect((await running).exitCode).toBe(0);
    },
  );

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('triggerfs-client ends the job on its worker at %s', async (signal, code) => {
    const running = client(...onDemo, '-command', 'sleep 100');
    const { id } = await first.hears('request');
    running.kill(signal);
    await first.hears('cancel');
    print(first, id, 0, 'last words\n');
    say(first, succeeded(id, { result: 'killed', signal: 'SIGTERM', exit_code: null }));
    const { stdout, stderr, exitCode } = await running;
    expect(stdout).toContain('last words');
    expect(stderr).toContain('ending the job on its worker');
    expect(exitCode).toBe(code);
  });

  it('triggerfs-client exits at once at the second Ctrl-C', async () => {
    const running = client(...onDemo, '-command', 'sleep 100');
    const { id } = await first.hears('request');
    running.kill('SIGINT');
    await first.hears('cancel');
    running.kill('SIGINT');
    expect((await running).signal).toBe('SIGINT');
    say(first, succeeded(id, { result: 'killed', signal: 'SIGTERM', exit_code: null }));
  });

  it('triggerfs-client reads typed input until Ctrl-D', async () => {
    const screen = await openScreen([join(root, 'bin/triggerfs-client'), ...onDemo], { env: { HOME: home } });
    try {
      await until(async () => (await screen.lines()).some((line) => line.includes('Ctrl-D')), 'the hint');
      await screen.type('uptime');
      await screen.press('Enter');
      await screen.press('C-d');
      const { id, body } = await first.hears('request');
      expect(body).toBe('uptime\n');
      say(first, succeeded(id));
      await until(async () => (await screen.lines()).some((line) => line === 'Exit code: 0'), 'the end');
    } finally {
      await screen.close();
    }
  });
});

describe('a configuration file with a password that every user can read', () => {
  it.each([
    ['triggerfs-client', [...onDemo, '-command', 'x'], 'triggerfs-client'],
    ['trigger', ['request', '--service', 'demoservice', '--plugin', 'command', '--command', 'x'], 'trigger'],
    ['triggerfs-cli', ['-c', 'request demoservice plugin command command x'], 'triggerfs-cli'],
  ])(
    'a configuration file with a readable password is named by %s, which works all the same',
    async (program, args, name) => {
      chmodSync(join(home, 'triggerfs.toml'), 0o644);
      const running = start(program, args);
      const { id } = await first.hears('request');
      say(first, succeeded(id));
      const { stderr, exitCode } = await running;
      const file = join(home, 'triggerfs.toml');
      expect(stderr).toContain(
        `${name}: warning: ${file} holds secrets (main.secret) and every user can read it (mode 0644): chmod 600 ${file}\n`,
      );
      expect(exitCode).toBe(0);
    },
  );
});

describe('trigger request', () => {
  const args = ['request', '--service', 'demoservice', '--plugin', 'command', '--command', 'x'];

  it('trigger request prints the output to the plugin’s streams, and its own messages on stderr', async () => {
    const running = start('trigger', args);
    const { id } = await first.hears('request');
    print(first, id, 0, 'data\n');
    print(first, id, 5, 'oops\n', 'err');
    say(first, succeeded(id, { result: 'failed', exit_code: 9 }));
    const { stdout, stderr, exitCode } = await running;
    expect(stdout).toBe('[command/command@demo01] data\n');
    expect(stderr).toMatch(
      /Sending message to service demoservice \(roundrobin\)\n\[command\/command@demo01\] oops\n\nExit code: 9\nTotal messages: 2\nTime ran: /,
    );
    expect(exitCode).toBe(9);
  });

  it('trigger request --json has bytes that are not UTF-8 in base64', async () => {
    const running = start('trigger', [...args, '--json']);
    const { id } = await first.hears('request');
    first.say({ op: 'partial', id, stream: 'out', offset: 0 }, Buffer.from('caf\xe9\n', 'latin1'));
    print(first, id, 5, 'caf\ufffd\n');
    say(first, succeeded(id));
    expect(JSON.parse((await running).stdout).output).toEqual([
      { worker: 'demo01', stream: 'out', text_base64: 'Y2Fm6Q==' },
      { worker: 'demo01', stream: 'out', text: 'caf\ufffd' },
    ]);
  });

  it('trigger request --json prints one JSON document', async () => {
    const running = start('trigger', [...args, '--json']);
    const { id } = await first.hears('request');
    print(first, id, 0, 'one\ntwo\n');
    print(first, id, 8, 'three\n', 'err');
    say(first, succeeded(id, { output_bytes: 14 }));
    const { stdout, stderr, exitCode } = await running;
    expect(JSON.parse(stdout)).toMatchObject({
      id,
      service: 'demoservice',
      plugin: 'command/command',
      algorithm: 'roundrobin',
      output: [
        { worker: 'demo01', stream: 'out', text: 'one' },
        { worker: 'demo01', stream: 'out', text: 'two' },
        { worker: 'demo01', stream: 'err', text: 'three' },
      ],
      result: 'succeeded',
      exit_code: 0,
      exit: 0,
      messages: 3,
      legs: [{ worker: 'demo01', result: 'succeeded', output_bytes: 14 }],
    });
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
  });

  it('trigger request --json closes the document when the worker is lost', async () => {
    const running = start('trigger', [...args, '--json']);
    const { id } = await first.hears('request');
    print(first, id, 0, 'one\n');
    say(first, succeeded(id, { result: 'lost', exit_code: null, code: 'worker-lost', reason: 'gone' }));
    const { stdout, stderr, exitCode } = await running;
    expect(JSON.parse(stdout)).toMatchObject({ output: [{ text: 'one' }], error: { code: 'worker-lost' } });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'worker-lost' } });
    expect(exitCode).toBe(1);
  });

  it('trigger request says what is missing in the configuration', async () => {
    writeFileSync(join(home, 'triggerfs.toml'), '[main]\nteam = "team1"\n');
    const { stderr, exitCode } = await start('trigger', args);
    expect(stderr).toContain('[main] broker is missing');
    expect(exitCode).toBe(2);
    expect(existsSync(join(home, 'client.log'))).toBe(false);
  });
});
