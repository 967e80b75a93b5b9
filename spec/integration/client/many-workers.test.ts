import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeRegistry, quietPeers, startTestBroker, type TestBroker } from '../../support/bus.ts';
import { root } from '../../support/node.ts';
import { succeeded, type TestWorker, worker } from '../../support/peers.ts';
import { openScreen } from '../../support/screen.ts';
import { until } from '../../support/wait.ts';

/** A request that goes to many: what of it is shown on a terminal, in a pipe, and with `--filter-replies`. */
const names = Array.from({ length: 22 }, (_, at) => `web${String(at).padStart(2, '0')}`);
const registry = new FakeRegistry();
for (const name of names) registry.worker('team1', name);
registry.service('team1', 'many', names, { algorithm: 'mirror' });
registry.service('team1', 'few', names.slice(0, 20), { algorithm: 'mirror' });
registry.service('team1', 'one', names.slice(0, 1));

let at: TestBroker;
let workers: Map<string, TestWorker>;
let home: string;

beforeAll(async () => {
  at = await startTestBroker({ registry, limits: quietPeers });
  const connected = names.map(async (identity) => [identity, await worker(at.address, { identity })] as const);
  workers = new Map(await Promise.all(connected));
  home = mkdtempSync(join(tmpdir(), 'triggerd-many-'));
  const main = `[main]\nteam = "team1"\nidentity = "hp"\nsecret = "secret"\n`;
  const broker = `broker = "${at.address.endpoint}"\nbroker_key = "${at.address.key}"\n`;
  writeFileSync(join(home, 'triggerfs.toml'), `${main}${broker}`, { mode: 0o600 });
});
afterAll(async () => {
  await Promise.all([...workers.values()].map((each) => each.close()));
  await at.broker.stop();
  rmSync(home, { recursive: true });
});
beforeEach(() => {
  for (const each of workers.values()) each.heard.length = 0;
});

const request = (service: string, ...more: string[]) =>
  ['trigger', 'request', '--service', service, '--plugin', 'echo', '--command', 'x', ...more] as const;
const client = (service: string, ...more: string[]) =>
  ['triggerfs-client', '-service', service, '-plugin', 'echo', '-command', 'x', ...more] as const;

const run = ([program, ...args]: readonly [string, ...string[]]) =>
  execa(join(root, 'bin', program), args, { reject: false, input: '', env: { HOME: home, NO_COLOR: '1' } });

/** Every worker writes its name; `web07` fails with 3, and its line has no newline. */
const answer = async (asked = names): Promise<void> => {
  for (const name of asked) {
    const from = workers.get(name) as TestWorker;
    const { id } = await from.hears('request');
    const isBad = name === 'web07';
    from.say(
      { op: 'partial', id, stream: isBad ? 'err' : 'out', offset: 0 },
      isBad ? `I am ${name}` : `I am ${name}\n`,
    );
    from.say(succeeded(id, isBad ? { result: 'failed', exit_code: 3 } : {}));
  }
};

/** What is to be seen on a terminal of 60 lines at the end. */
const onTerminal = async (argv: readonly string[], asked = names): Promise<string> => {
  const PATH = `${dirname(join(root, 'bin/trigger'))}:${process.env['PATH'] ?? ''}`;
  const shell = '"$@"; echo "exit $?"; read -r _';
  const screen = await openScreen(['sh', '-c', shell, 'sh', ...argv], { env: { HOME: home, PATH }, height: 60 });
  try {
    await answer(asked);
    return await until(async () => {
      const text = (await screen.lines()).join('\n');
      return /^exit \d/m.test(text) ? text : undefined;
    }, 'the end');
  } finally {
    await screen.close();
  }
};

const shown = (text: string): string[] => text.match(/(?<=@)web\d\d(?=\] I am)/g) ?? [];

describe('a request to many workers', () => {
  it.each([request('many'), client('many')])(
    'a request to many workers shows failures and a sum on a terminal: %s',
    async (...argv) => {
      const text = await onTerminal(argv);
      expect(shown(text)).toEqual(['web07']);
      expect(text).toMatch(/^\[echo@web07\] I am web07\n\S+: web07: exit code 3$/m);
      expect(text).toMatch(/\n21 succeeded, 1 failed\nExit code: 3\nTotal messages: 22\n/);
      expect(text).toContain('exit 3');
      expect(text.match(/web07: exit code 3/g)).toHaveLength(1);
    },
  );

  it.each([
    ['with --all', request('many', '--all'), names],
    ['with -all', client('many', '-all'), names],
    ['of 20', request('few'), names.slice(0, 20)],
  ] as const)('a request to many workers shows all of them on a terminal %s', async (_, argv, asked) => {
    const text = await onTerminal(argv, asked);
    expect(shown(text).sort()).toEqual(asked);
    expect(text).not.toContain(' succeeded, ');
  });

  it.each([request('many'), client('many')])(
    'a request to many workers shows all of them in a pipe: %s',
    async (...argv) => {
      const running = run(argv as never);
      await answer();
      const { stdout, stderr, exitCode } = await running;
      expect(shown(`${stdout}${stderr}`).sort()).toEqual(names);
      expect(`${stdout}${stderr}`).not.toContain(' succeeded, ');
      expect(exitCode).toBe(3);
    },
  );

  it('request --filter-replies shows workers that meet all conditions, and exits as without the filter', async () => {
    const filter = ['--filter-replies', 'result=succeeded', '--filter-replies', 'worker=~0[5-8]$'];
    const running = run(request('many', ...filter));
    await answer();
    const { stdout, stderr, exitCode } = await running;
    expect(shown(stdout)).toEqual(['web05', 'web06', 'web08']);
    expect(stderr).toContain('\n21 succeeded, 1 failed\nExit code: 3\n');
    expect(stderr).not.toContain('web07');
    expect(exitCode).toBe(3);
  });

  it('request --filter-replies --json filters the output and the legs', async () => {
    const running = run(request('many', '--json', '--filter-replies', 'exit_code!=0'));
    await answer();
    const { stdout, exitCode } = await running;
    expect(JSON.parse(stdout)).toMatchObject({
      output: [{ worker: 'web07', stream: 'err', text: 'I am web07' }],
      exit: 3,
      messages: 22,
      legs: [{ worker: 'web07', result: 'failed', exit_code: 3 }],
    });
    expect(JSON.parse(stdout).output).toHaveLength(1);
    expect(JSON.parse(stdout).legs).toHaveLength(1);
    expect(exitCode).toBe(3);
  });

  it('request --filter-replies names a worker that is shown and has written nothing', async () => {
    const running = run(request('one', '--filter-replies', 'result=succeeded'));
    const from = workers.get('web00') as TestWorker;
    from.say(succeeded((await from.hears('request')).id));
    const { stderr, exitCode } = await running;
    expect(stderr).toMatch(/^trigger: web00: succeeded$/m);
    expect(exitCode).toBe(0);
  });

  it('request --filter-replies shows what it knows of a worker that is lost', async () => {
    const running = run(request('one', '--filter-replies', 'result=lost'));
    const from = workers.get('web00') as TestWorker;
    const { id } = await from.hears('request');
    from.say({ op: 'partial', id, stream: 'out', offset: 0 }, 'last words');
    from.say(succeeded(id, { result: 'lost', exit_code: null, code: 'worker-lost', reason: 'gone' }));
    const { stdout, stderr, exitCode } = await running;
    expect(stdout).toBe('[echo@web00] last words');
    expect(stderr).toContain('web00: lost: gone');
    expect(exitCode).toBe(1);
  });

  it.each([
    [request('many', '--filter-replies', 'node=x'), 'There is no field node'],
    [client('many', '-filter-replies', 'failed'), 'Expected FIELD=VALUE'],
    [request('many', '--all', '--filter-replies', 'result=failed'), 'exclude each other'],
  ] as const)('request --filter-replies refuses %j', async (argv, text) => {
    const { stderr, exitCode } = await run(argv as never);
    expect(stderr).toContain(text);
    expect(exitCode).toBe(2);
  });
});
