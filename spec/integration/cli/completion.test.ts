import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RegistryBody } from '../../../src/api/contract/registry.ts';
import { openScreen } from '../../support/screen.ts';
import { type StubDaemon, startStubDaemon, takenOver } from '../../support/stub-daemon.ts';
import { until } from '../../support/wait.ts';
import { firingView, jobView, nodeView, queueView } from '../../unit/cli/views.ts';
import { at, binary, trigger } from './trigger.ts';

/** The registry, with one team, which is meant where none is named. */
const registered = ({ statement }: RegistryBody) => {
  const names = { 'team.list': ['team1'], 'worker.list': ['demo01', 'demo02'], 'definition.list': ['disk'] };
  const rows = (names[statement.verb as keyof typeof names] ?? []).map((name) => ({
    name,
    identity: name,
    path: `/alarms/${name}`,
    description: 'rack\t7',
  }));
  return { kind: statement.verb.split('.')[0], rows, notices: [] };
};

let daemon: StubDaemon;
beforeAll(async () => {
  daemon = await startStubDaemon({
    'GET /v1/queues': () => [queueView(), queueView({ name: 'backups' })],
    'GET /v1/jobs': ({ query }) =>
      query['state'] === 'running'
        ? [jobView({ id: 4711, state: 'running', command: 'sleep\t100' })]
        : [jobView({ id: 4712 })],
    'GET /v1/nodes': () => [nodeView({ node: 'lb01.example.com' }), nodeView({ node: 'lb02.example.com' })],
    'GET /v1/plugins': () => [{ name: 'puppet' }, { name: 'puppet/other' }],
    'POST /v1/registry': ({ body }) => registered(body as RegistryBody),
    'GET /v1/firings': () => [firingView({ id: '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD', trigger: 'refresh' })],
  });
});
afterAll(() => daemon.close());

/**
 * What is printed for the last word. Nothing is also what comes from a daemon that was too slow for the one second that
 * somebody waits for it: unless nothing is what is wanted, that is asked again.
 */
const completed = (words: readonly string[], wantsSome = true): Promise<{ stdout: string }> =>
  until(
    async () => {
      const { code, stdout, stderr } = await trigger(['__complete', ...words], at(daemon));
      expect([code, stderr]).toEqual([0, '']);
      return stdout === '' && wantsSome ? undefined : { stdout };
    },
    `candidates for ${words.join(' ')}`,
  );

/** The candidates for the last word, without what is said about them. */
const candidates = async (words: readonly string[], wantsSome: boolean): Promise<string[]> => {
  const { stdout } = await completed(words, wantsSome);
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0] ?? '']));
};

describe('trigger __complete', () => {
  it.each<[string[], string[]]>([
    [['que'], ['queue']],
    [
      ['q', 're'],
      ['remove', 'retry', 'replay', 'resume'],
    ],
    [['queue', '--al'], ['--all']],
    [['queue', '--js'], ['--json']],
    [
      ['fire', '--filter-replies', 'res'],
      ['result=failed', 'result!=succeeded'],
    ],
    [['request', '--filter-replies=exit'], ['--filter-replies=exit_code!=0']],
    [['--vers'], ['--version']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [
      ['queue', '--queue', ''],
      ['default', 'backups'],
    ],
    [['queue', '--queue=b'], ['--queue=backups']],
    [['queue', '--queue', '=', 'b'], ['backups']],
    [['queue', 'kill', ''], ['4711']],
    [['queue', 'remove', '4'], ['4712']],
    [['queue', 'kill', '4711', ''], []],
    [['queue', 'swap', '4712', ''], ['4712']],
    [
      ['worker', 'show', 'demo'],
      ['demo01', 'demo02'],
    ],
    [['worker', 'add', ''], []],
    [['service', 'attach', 'demoservice', 'demo02'], ['demo02']],
    [['definition', 'set', '/al'], ['/alarms/disk']],
    [['worker', 'delete', 'x', '--team', ''], ['team1']],
    [['service', 'set', 'x', '--algorithm', 'm'], ['mirror']],
    [
      ['fire', 'x', '--host', 'lb'],
      ['lb01.example.com', 'lb02.example.com'],
    ],
    [['fire', 'x', '--host', 'a,lb02'], ['a,lb02.example.com']],
    [['fire', 'x', '--plugin', 'puppet/'], ['puppet/other']],
    [['fire', 'x', '--ttl', ''], []],
    [['status', ''], ['01K9ZQ4T5M8W3V6X7Y8Z9A0BCD']],
    [['node', 'forget', 'lb02'], ['lb02.example.com']],
    [
      ['plugin', 'info', ''],
      ['puppet', 'puppet/other'],
    ],
    [['config', 'check', ''], [':files']],
    [['--config', ''], [':files']],
    [['queue', 'add', '--', ''], [':commands']],
    [['queue', 'add', 'ls', '--al'], [':commands']],
    [['quue', 'nonsense', ''], []],
  ])('trigger __complete answers %j', async (words, expected) => {
    expect(await candidates(words, expected.length > 0)).toEqual(expected);
  });

  it('trigger __complete describes each candidate on one line', async () => {
    expect(await completed(['queue', 'kill', ''])).toEqual({ stdout: '4711\trunning: sleep\\t100\n' });
  });

  it('trigger __complete queries the daemon and the queue that the command line names', async () => {
    await completed(['--socket', daemon.socket, 'queue', '--queue', 'backups', 'kill', '']);
    expect(daemon.requests.at(-1)?.query).toMatchObject({ queue: 'backups', state: 'running' });
  });

  it('trigger __complete is silent about a daemon that is down or does not answer', async () => {
    expect(await trigger(['__complete', 'queue', 'kill', ''])).toEqual({ code: 0, stdout: '', stderr: '' });
    const mute = await startStubDaemon({ 'GET /v1/jobs': () => takenOver });
    expect(await trigger(['__complete', 'queue', 'kill', ''], at(mute))).toEqual({ code: 0, stdout: '', stderr: '' });
    await mute.close();
  });
});

describe('the scripts, in the shells themselves', () => {
  it.each([
    ['bash', ['bash', '--norc', '--noprofile'], 'source <(trigger completion bash)'],
    ['zsh', ['zsh', '-f'], 'autoload -U compinit; compinit -u -D; source <(trigger completion zsh)'],
    ['fish', ['fish', '--no-config'], 'trigger completion fish | source'],
  ])('%s completes a verb and existing names', async (_shell, argv, load) => {
    const env = { PATH: `${dirname(binary)}:${process.env['PATH'] ?? ''}`, TRIGGERD_SOCKET: daemon.socket };
    const screen = await openScreen(argv, { env });
    const shows = (text: string, withinMs?: number) =>
      until(async () => (await screen.lines()).some((line) => line.includes(text)), text, withinMs);
    /** Once more where the daemon was too slow for the one second that somebody waits for it. */
    const completes = async (text: string) => {
      await screen.press('Tab');
      const isThere = await shows(text, 20_000).catch(() => false);
      if (!isThere) await screen.press('Tab');
      await shows(text);
    };
    const isClear = async () => !(await screen.lines()).findLast((line) => line.trim() !== '')?.includes('trigger');
    try {
      await screen.type(`${load}; echo lo''aded`);
      await screen.press('Enter');
      await shows('loaded');
      await screen.type('trigger queue ki');
      await completes('trigger queue kill');
      await completes('trigger queue kill 4711');
      await screen.press('C-c');
      await until(isClear, 'a new prompt');
      await screen.type('trigger fire x --host lb');
      await completes('--host lb0');
      await screen.type('2');
      await completes('--host lb02.example.com');
    } finally {
      await screen.close();
    }
  });
});
