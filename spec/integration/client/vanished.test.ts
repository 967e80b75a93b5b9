import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeRegistry, quietPeers, startTestBroker, type TestBroker } from '../../support/bus.ts';
import { temporaryFolder } from '../../support/journal.ts';
import { root } from '../../support/node.ts';
import { succeeded, type TestWorker, worker } from '../../support/peers.ts';
import { openScreen } from '../../support/screen.ts';
import { until } from '../../support/wait.ts';

/** Whoever has sent a request and goes away: by a signal, with the terminal, or since nobody can read the output. */
const registry = new FakeRegistry().worker('team1', 'demo01').worker('team1', 'demo02');
registry.service('team1', 'demoservice', ['demo01']);

let at: TestBroker;
let peer: TestWorker;
let home: string;

beforeAll(async () => {
  at = await startTestBroker({ registry, limits: quietPeers });
  peer = await worker(at.address);
});
afterAll(async () => {
  await peer.close();
  await at.broker.stop();
});
beforeEach(() => {
  home = temporaryFolder();
  configure();
  peer.heard.length = 0;
});

const main = () => `[main]\nbroker = "${at.address.endpoint}"\nbroker_key = "${at.address.key}"\n`;
const configure = (more = ''): void =>
  writeFileSync(join(home, 'triggerfs.toml'), `${main()}team = "team1"\nidentity = "hp"\nsecret = "secret"\n${more}`, {
    mode: 0o600,
  });

const client = ['triggerfs-client', '-service', 'demoservice', '-plugin', 'command', '-command', 'x'];
const request = ['trigger', 'request', '--service', 'demoservice', '--plugin', 'command', '--command', 'x'];
const json = [...request, '--json'];
const console_ = ['triggerfs-cli', '-c', 'request demoservice plugin command command x'];
const all = [client, request, json, console_];

const commandOf = ([program = '', ...args]: readonly string[]): string[] => [join(root, 'bin', program), ...args];
const options = () => ({ reject: false, env: { HOME: home, NO_COLOR: '1' }, input: '' }) as const;
const start = (argv: readonly string[]) => {
  const [file = '', ...args] = commandOf(argv);
  return execa(file, args, options());
};
/** With `"$0" "$@"` in the script for the command; a pipe between two programs is a real one there. */
const inShell = (script: string, argv: readonly string[]) =>
  execa('bash', ['-c', script, ...commandOf(argv)], options());

/** What a shell does that outlives its terminal: gives the signal to its programs, as most do, or not. */
const passOn = 'trap "kill -HUP \\$!" HUP; "$0" "$@" & wait $!; wait $!';
const keep = 'trap : HUP; "$0" "$@"';
const codeFile = () => join(home, 'exit-code');
const inTerminal = (argv: readonly string[], shell: string) => {
  const script = `${shell}; echo $? > ${codeFile()}.new; mv ${codeFile()}.new ${codeFile()}`;
  return openScreen(['sh', '-c', script, ...commandOf(argv)], { env: { HOME: home } });
};
const exitCode = async (): Promise<string> => {
  await until(() => existsSync(codeFile()), 'the end');
  return readFileSync(codeFile(), 'utf8');
};

/** The job writes two lines; it ends when it is told to, as one that is killed. Gives the request's id. */
const serve = async (): Promise<string> => {
  const { id } = await peer.hears('request');
  peer.say({ op: 'partial', id, stream: 'out', offset: 0 }, 'one\ntwo\n');
  return id;
};
const endWhenCancelled = async (id: string): Promise<void> => {
  await peer.hears('cancel');
  peer.say(succeeded(id, { result: 'killed', signal: 'SIGTERM', exit_code: null }));
};

describe('a client of a service', () => {
  it.each(all)(
    'a client cancels its request when its terminal is closed, and does not crash: %s %s',
    async (...argv) => {
      const screen = await inTerminal(argv, passOn);
      const id = await serve();
      await until(async () => (await screen.lines()).some((line) => line.includes('two')), 'the output');
      await screen.close();
      await endWhenCancelled(id);
      expect(await exitCode()).toBe('129\n');
    },
  );

  it('a client cancels its request when its terminal is closed without a signal', async () => {
    const screen = await inTerminal(client, keep);
    const id = await serve();
    await until(async () => (await screen.lines()).some((line) => line.includes('two')), 'the output');
    await screen.close();
    await endWhenCancelled(id);
    expect(await exitCode()).toBe('129\n');
  });

  it.each(all)(
    'a client cancels its request when its reader goes away, also while nothing is written: %s %s',
    async (...argv) => {
      const running = inShell('"$0" "$@" | head -n 1 > /dev/null; echo "$PIPESTATUS"', argv);
      await endWhenCancelled(await serve());
      expect((await running).stdout).toBe('141');
    },
  );

  it.each(all)(
    'a client cancels its request when the reader of its socket goes away, also while nothing is written: %s %s',
    async (...argv) => {
      const running = start(argv);
      let shown = '';
      running.stdout.on('data', (data: Buffer) => {
        shown += String(data);
      });
      const id = await serve();
      await until(() => shown.includes('two'), 'the output');
      // What Node.js gives to a program as its stdout is a socket.
      running.stdout.destroy();
      await endWhenCancelled(id);
      expect((await running).exitCode).toBe(141);
    },
  );

  it('a client cancels its request when its TCP connection is reset, and continues when its peer only stops sending', async () => {
    const peers: Socket[] = [];
    const sent: string[] = [];
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      peers.push(socket.on('data', (data) => sent.push(String(data))).on('error', () => undefined));
      socket.end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const running = inShell(`exec "$0" "$@" > /dev/tcp/127.0.0.1/${port}`, client);
    const id = await serve();
    await until(() => sent.join('').includes('two'), 'the output');
    // It looks once a second, and nothing tells that it has.
    const looked = Date.now() + 3_000;
    await until(() => Date.now() > looked, 'some looks');
    peer.say({ op: 'partial', id, stream: 'out', offset: 8 }, 'three\n');
    await until(() => sent.join('').includes('three'), 'the rest');
    expect(peer.of('cancel')).toEqual([]);
    peers[0]?.resetAndDestroy();
    await endWhenCancelled(id);
    expect((await running).exitCode).toBe(141);
    server.close();
  });

  it.each(all)('a client cancels its request when its output cannot be written: %s %s', async (...argv) => {
    const running = inShell('exec "$0" "$@" > /dev/full', argv);
    await endWhenCancelled(await serve());
    const { stderr, exitCode } = await running;
    expect(stderr).toMatch(/cannot write the output: ENOSPC/);
    expect(exitCode).toBe(1);
  });

  it.each(
    all.flatMap((argv) => [
      ['SIGHUP', 129, argv] as const,
      ['SIGTERM', 143, argv] as const,
      ['SIGINT', 130, argv] as const,
    ]),
  )('a client cancels its request at %s and exits %i: %j', async (signal, code, argv) => {
    const running = start(argv);
    const id = await serve();
    running.kill(signal);
    await peer.hears('cancel');
    // A shell and the kernel may each send one.
    if (signal !== 'SIGINT') running.kill(signal);
    await endWhenCancelled(id);
    expect((await running).exitCode).toBe(code);
  });

  it('a client says once that its log file cannot be written, and continues', async () => {
    configure('[triggerfs-client]\nlogfile = "/dev/full"\n');
    const running = start(client);
    const id = await serve();
    peer.say(succeeded(id));
    const { stdout, stderr, exitCode } = await running;
    expect(stderr).toBe('[triggerfs-client] logfile: /dev/full cannot be written (ENOSPC); the copy has gaps');
    expect(stdout).toContain('two\n');
    expect(exitCode).toBe(0);
  });
});

describe('a daemon in the foreground', () => {
  const daemons = () => {
    const node = `[node]\nname = "n1"\nstate_dir = "${home}/state"\nsocket = "${home}/socket"\n`;
    writeFileSync(join(home, 'node.toml'), node);
    writeFileSync(join(home, 'worker.toml'), `${main()}${node}[workers.team1.demo02]\ntoken = "wrong"\n`, {
      mode: 0o600,
    });
    return {
      triggerd: ['triggerd', '--config', join(home, 'node.toml')],
      'triggerfs-worker': [
        'triggerfs-worker',
        ...['-identity', 'demo02', '-config', join(home, 'worker.toml'), '-socket', join(home, 'socket')],
      ],
    };
  };

  it.each(['triggerd', 'triggerfs-worker'] as const)(
    'a daemon in the foreground stops when its terminal is closed: %s',
    async (name) => {
      const screen = await inTerminal(daemons()[name], keep);
      await until(() => existsSync(join(home, 'socket')), 'the daemon');
      await until(async () => (await screen.lines()).some((line) => /ready|refused/i.test(line)), 'its first lines');
      await screen.close();
      expect(await exitCode()).toBe('0\n');
    },
  );

  it.each(['triggerd', 'triggerfs-worker'] as const)(
    'a daemon in the foreground stops when its terminal is closed while it starts: %s',
    async (name) => {
      const screen = await inTerminal(daemons()[name], keep);
      await until(() => existsSync(join(home, 'state')), 'the beginning of its start');
      await screen.close();
      expect(await exitCode()).toBe('0\n');
    },
  );

  it.each(['triggerd', 'triggerfs-worker'] as const)(
    'a daemon in the foreground continues when its log cannot be written any more: %s',
    async (name) => {
      const running = inShell('exec "$0" "$@" 2> /dev/full', daemons()[name]);
      const health = () =>
        execa('curl', ['-sf', '--unix-socket', join(home, 'socket'), 'http://x/v1/health'], { reject: false });
      await until(async () => (await health()).exitCode === 0, 'the daemon');
      expect(running.exitCode).toBeNull();
      running.kill('SIGTERM');
      expect((await running).exitCode).toBe(0);
    },
  );
});
