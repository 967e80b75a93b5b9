import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exitCodes } from '../../../src/cli/program.ts';
import { refuse, type StubDaemon, startStubDaemon, takenOver } from '../../support/stub-daemon.ts';
import { until } from '../../support/wait.ts';
import { finishedView, firingId, jobView, outcomeView, queueView, succeeded } from '../../unit/cli/views.ts';
import { at, start, trigger } from './trigger.ts';

/** Scripts match on these numbers: none of them may ever mean something else. */
let daemon: StubDaemon;
beforeEach(async () => {
  daemon = await startStubDaemon({
    'GET /v1/queues': () => [queueView()],
    'GET /v1/jobs': () => [],
    'GET /v1/jobs/1': () => jobView({ id: 1, state: 'running' }),
    'GET /v1/jobs/1/wait': () => takenOver,
    'GET /v1/jobs/1/output': (_, response) => {
      response.write('first\n');
      return takenOver;
    },
    'GET /v1/events': () => ({ events: [], cursor: '1' }),
    'GET /v1/events/follow': (_, response) => {
      response.flushHeaders();
      return takenOver;
    },
    'GET /v1/jobs/2': () => finishedView({ id: 2, result: 'failed', exit_code: 42, wait_exit_code: 42 }),
    'POST /v1/jobs/2/kill': (_, response) => refuse(response, 409, { code: 'job-state', message: 'it has ended' }),
    'GET /v1/nodes': (_, response) => refuse(response, 503, { code: 'etcd-unreachable', message: 'no etcd' }),
    'POST /v1/jobs': (_, response) => refuse(response, 400, { code: 'input-invalid', message: 'argv' }),
    'POST /v1/firings': ({ body }) => ({ id: firingId, targets: (body as { hosts: string[] }).hosts, unseen: [] }),
    [`GET /v1/firings/${firingId}/follow`]: (_, response) => {
      response.write(`${JSON.stringify(succeeded('a'))}\n`);
      if (daemon.requests.some(({ body }) => JSON.stringify(body)?.includes('"c"'))) return takenOver;
      const failed = outcomeView({ node: 'b', stage: 'finished', result: 'failed', exit_code: 1 });
      response.end(`${JSON.stringify(failed)}\n`);
      return takenOver;
    },
  });
});
afterEach(() => daemon.close());

const fire = ['fire', 'x', '--host', 'a,b'];

describe('exit codes', () => {
  it.each<[number, string, string[]]>([
    [0, 'fine', ['queue']],
    [0, 'fired; nobody waits for the end', fire],
    [0, 'help that was asked for', ['queue', '--help']],
    [1, 'the daemon refuses', ['queue', 'kill', '2']],
    [1, 'there is no such job', ['queue', 'info', '3']],
    [2, 'an unknown option', ['queue', '--nonsense']],
    [2, 'no command at all', []],
    [2, 'a configuration that is not there', ['config', 'check', '/nonexistent.toml']],
    [2, 'a request that is not well-formed', ['queue', 'add', 'true']],
    [3, 'no daemon', ['queue', '--socket', '/nonexistent/socket']],
    [3, 'no etcd', ['nodes']],
    [4, 'one target did not end well', [...fire, '--wait']],
    [5, 'timed out waiting', ['queue', 'wait', '1', '--timeout', '200ms']],
    [42, 'the job’s own', ['queue', 'wait', '2']],
  ])('exit code %i: %s', async (code, _why, args) => {
    expect((await trigger(args, at(daemon))).code).toBe(code);
  });

  it.each([
    [129, 'SIGHUP'],
    [130, 'SIGINT'],
    [143, 'SIGTERM'],
  ] as const)('exit code %i of tsp: %s', async (code, signal) => {
    const waiting = start(['queue', 'wait', '1'], at(daemon));
    await until(() => daemon.requests.some(({ path }) => path === '/v1/jobs/1/wait'), 'the wait');
    waiting.process.kill(signal);
    expect(await waiting.ended).toMatchObject({ code, stderr: expect.stringContaining('job 1 continues') });
  });

  it.each([
    [['queue', 'wait', '1']],
    [['queue', 'tail', '1']],
    [['queue', 'cat', '1']],
    [['events', '--follow']],
    [['fire', 'x', '--host', 'a,b,c', '--wait']],
  ])('exit code 141: nobody reads what %j would print', async (args) => {
    const through = ['bash', '-c', '"$0" "$@" | true; exit "$PIPESTATUS"'];
    expect((await trigger(args, { ...at(daemon), through })).code).toBe(141);
  });

  it('exit code 141 is not that of a command that has done its work', async () => {
    const through = ['bash', '-c', '"$0" "$@" | true; exit "$PIPESTATUS"'];
    expect((await trigger(['queue'], { ...at(daemon), through })).code).toBe(0);
  });

  it('exit codes are the same in --help and in the documentation', async () => {
    const { stdout } = await trigger(['--help']);
    const page = readFileSync(new URL('../../../docs/reference/cli.md', import.meta.url), 'utf8').replaceAll('`', '');
    for (const [code, means] of exitCodes) {
      expect(stdout).toContain(`${code}  ${means}`);
      expect(page).toMatch(new RegExp(`^\\| ${code} +\\| ${means} +\\|$`, 'm'));
    }
  });
});
