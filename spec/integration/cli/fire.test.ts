import type { ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { FiringView, OutcomeView } from '../../../src/api/contract/firings.ts';
import { formatDuration } from '../../../src/kit/duration.ts';
import { openScreen } from '../../support/screen.ts';
import { type Answer, refuse, type StubDaemon, startStubDaemon, takenOver } from '../../support/stub-daemon.ts';
import { until } from '../../support/wait.ts';
import { firingId, firingView, nodeView, outcomeView, pluginView, succeeded } from '../../unit/cli/views.ts';
import { at, binary, start, trigger } from './trigger.ts';

let daemon: StubDaemon;
const serve = async (routes: Record<string, Answer>): Promise<void> => {
  daemon = await startStubDaemon(routes);
};
afterEach(() => daemon.close());

const targets = ['a', 'b'];
const fired: Answer = () => ({ id: firingId, targets, unseen: [] });
const follow = `GET /v1/firings/${firingId}/follow`;
const write = (response: ServerResponse, ...outcomes: OutcomeView[]) => {
  for (const outcome of outcomes) response.write(`${JSON.stringify(outcome)}\n`);
};
const following =
  (...outcomes: OutcomeView[]): Answer =>
  (_, response) => {
    write(response, ...outcomes);
    response.end();
    return takenOver;
  };
const running = (node: string) => outcomeView({ node, stage: 'running' });
const failed = (node: string) =>
  outcomeView({ node, stage: 'finished', result: 'failed', exit_code: 1, duration_ms: 100 });
const wait = ['fire', 'x', '--host', 'a,b', '--wait'];
/** Waits for what never ends, on a busy machine longer: until it has heard of `a` before its time had passed. */
const waitTooShort = (...more: string[]) => {
  let timeoutMs = 150;
  return until(async () => {
    timeoutMs *= 2;
    const ended = await trigger([...wait, '--timeout', `${timeoutMs}ms`, ...more], at(daemon));
    const heardTooLate = ended.stderr.includes('a, b') || ended.stderr.includes('"a"');
    return heardTooLate ? undefined : { ...ended, timeoutMs };
  }, 'an end in time');
};

describe('trigger fire', () => {
  it('fire prints the firing’s ID', async () => {
    await serve({ 'POST /v1/firings': fired });
    expect(await trigger(['fire', 'x', '--host', 'a'], at(daemon))).toEqual({
      code: 0,
      stdout: `${firingId}\n`,
      stderr: '',
    });
  });

  it('fire sends every option, and each repeated or comma-separated host once', async () => {
    await serve({ 'POST /v1/firings': fired });
    const options = '--host a --host b,a --plugin service --arg name=nginx --ttl 1h --noop --json';
    const { stdout } = await trigger(['fire', 'a name', ...options.split(' ')], at(daemon));
    expect(daemon.requests[0]?.body).toEqual({
      trigger: 'a name',
      hosts: ['a', 'b'],
      plugin: 'service',
      args: { name: 'nginx' },
      ttl_ms: 3_600_000,
      noop: true,
      user: expect.any(String),
    });
    expect(JSON.parse(stdout)).toEqual({ id: firingId, targets, unseen: [] });
  });

  it('fire warns of hosts that nobody has seen', async () => {
    await serve({ 'POST /v1/firings': () => ({ id: firingId, targets, unseen: ['b'] }) });
    const { code, stderr } = await trigger(['fire', 'x', '--host', 'a,b'], at(daemon));
    expect([code, stderr]).toEqual([0, 'trigger: no daemon has ever announced itself as b: is the name right?\n']);
  });

  it('fire exits 3 when etcd is away', async () => {
    await serve({ 'POST /v1/firings': (_, r) => refuse(r, 503, { code: 'etcd-unreachable', message: 'no etcd' }) });
    expect((await trigger(['fire', 'x', '--host', 'a'], at(daemon))).code).toBe(3);
  });
});

describe('trigger fire --wait', () => {
  it('fire --wait prints one line for each node, and exits 0 when all succeeded', async () => {
    await serve({
      'POST /v1/firings': fired,
      [follow]: following(running('a'), succeeded('b'), succeeded('a'), succeeded('a')),
    });
    const line = (node: string) => `${node}  finished  succeeded  exit 2  18.2 s  4 changed`;
    expect(await trigger(wait, at(daemon))).toEqual({
      code: 0,
      stdout: `${firingId}\n${line('b')}\n${line('a')}\n`,
      stderr: '',
    });
  });

  it.each([
    ['failed', failed('b')],
    ['was skipped', outcomeView({ node: 'b', stage: 'skipped', reason: 'expired' })],
  ])('fire --wait exits 4 when one %s', async (_, outcome) => {
    await serve({ 'POST /v1/firings': fired, [follow]: following(succeeded('a'), outcome) });
    expect((await trigger(wait, at(daemon))).code).toBe(4);
  });

  it('fire --wait exits 5 when its time has passed, and names the missing nodes', async () => {
    await serve({
      'POST /v1/firings': fired,
      [follow]: (_, response) => {
        write(response, succeeded('a'), running('b'));
        return takenOver;
      },
    });
    const { code, stdout, stderr, timeoutMs } = await waitTooShort();
    expect(code).toBe(5);
    expect(stdout).toMatch(/\na {2}finished/);
    expect(stderr).toContain(`firing ${firingId} has not ended after ${formatDuration(timeoutMs)} on b`);
  });

  it('fire --wait --json prints the state so far on stdout when its time has passed, and the reason on stderr', async () => {
    const view = firingView({ outcomes: { a: succeeded('a'), b: running('b') } });
    await serve({
      'POST /v1/firings': fired,
      [`GET /v1/firings/${firingId}`]: () => view,
      [follow]: (_, response) => {
        write(response, succeeded('a'), running('b'));
        return takenOver;
      },
    });
    const { code, stdout, stderr } = await waitTooShort('--json');
    expect([code, JSON.parse(stdout)]).toEqual([5, { ...view, unseen: [] }]);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'timed-out', details: { open: ['b'] } } });
  });

  it.each(['30d', '60d'])('fire --wait waits %s', async (timeout) => {
    await serve({
      'POST /v1/firings': fired,
      [follow]: (_, response) => {
        write(response, running('a'));
        setTimeout(() => {
          write(response, succeeded('a'), succeeded('b'));
          response.end();
        }, 100);
        return takenOver;
      },
    });
    expect(await trigger([...wait, '--timeout', timeout], at(daemon))).toMatchObject({ code: 0, stderr: '' });
  });

  it('fire --wait exits 130 on Ctrl-C, and says that the firing continues', async () => {
    await serve({
      'POST /v1/firings': fired,
      [follow]: (_, response) => {
        write(response, running('a'));
        return takenOver;
      },
    });
    const waiting = start(wait, at(daemon));
    await until(() => daemon.requests.length === 2, 'the firing to be followed');
    waiting.process.kill('SIGINT');
    const { code, stderr } = await waiting.ended;
    expect(code).toBe(130);
    expect(stderr).toContain(`the firing continues; \`trigger status ${firingId}\``);
  });

  it('fire --wait continues with a daemon that was restarted', async () => {
    let connections = 0;
    await serve({
      'POST /v1/firings': fired,
      [follow]: (_, response) => {
        connections += 1;
        write(response, succeeded('a'), ...(connections > 1 ? [succeeded('b')] : []));
        if (connections > 1) response.end();
        else response.socket?.destroy();
        return takenOver;
      },
    });
    const { code, stdout } = await trigger(wait, at(daemon));
    expect([code, stdout.match(/^a /gm)?.length, connections]).toEqual([0, 1, 2]);
  });

  it('fire --wait --filter-replies shows only nodes that meet all conditions, and exits as without the filter', async () => {
    await serve({ 'POST /v1/firings': fired, [follow]: following(succeeded('a'), failed('b')) });
    const filter = (...texts: string[]) => [...wait, ...texts.flatMap((text) => ['--filter-replies', text])];
    expect(await trigger(filter('details.puppet.changed>3'), at(daemon))).toMatchObject({
      code: 4,
      stdout: expect.stringMatching(/^\S+\na {2}finished.*\n$/),
    });
    expect((await trigger(filter('result=succeeded', 'node=b'), at(daemon))).stdout).toBe(`${firingId}\n`);
    const { code, stdout } = await trigger([...filter('exit_code=1'), '--json'], at(daemon));
    expect([code, JSON.parse(stdout)]).toEqual([
      4,
      { id: firingId, targets, unseen: [], outcomes: { b: failed('b') } },
    ]);
  });

  it.each([
    [[...wait, '--filter-replies', 'worker=a'], 'There is no field worker'],
    [[...wait, '--filter-replies', 'failed'], "Example: --filter-replies 'exit_code!=0'"],
    [[...wait, '--filter-replies', 'exit_code>0', '--all'], 'exclude each other'],
    [['fire', 'x', '--host', 'a', '--filter-replies', 'exit_code>0'], 'needs --wait'],
  ])('fire --filter-replies refuses %j', async (args, text) => {
    await serve({});
    const { code, stderr } = await trigger(args, at(daemon));
    expect([code, stderr]).toEqual([2, expect.stringContaining(text)]);
    expect(daemon.requests).toEqual([]);
  });

  it('fire --wait --json prints one JSON document with all outcomes', async () => {
    await serve({ 'POST /v1/firings': fired, [follow]: following(succeeded('a'), failed('b')) });
    const { code, stdout } = await trigger([...wait, '--json'], at(daemon));
    expect(code).toBe(4);
    expect(JSON.parse(stdout)).toEqual({
      id: firingId,
      targets,
      unseen: [],
      outcomes: { a: succeeded('a'), b: failed('b') },
    });
  });
});

describe('trigger status and nodes', () => {
  it('status shows one firing, or the recent ones', async () => {
    await serve({ 'GET /v1/firings': () => [firingView()], [`GET /v1/firings/${firingId}`]: () => firingView() });
    expect((await trigger(['status'], at(daemon, { COLUMNS: '80' }))).stdout).toContain(firingId);
    expect((await trigger(['status', firingId], at(daemon))).stdout).toMatch(/Because: File\[\/etc\/app.conf\]/);
    expect(JSON.parse((await trigger(['status', '--json', firingId], at(daemon))).stdout)).toEqual(firingView());
  });

  it('status says that there is no firing', async () => {
    await serve({ 'GET /v1/firings': () => [] });
    expect(await trigger(['status'], at(daemon))).toEqual({ code: 0, stdout: '', stderr: 'no firings yet\n' });
    expect((await trigger(['status', '--json'], at(daemon))).stdout).toBe('[]\n');
  });

  it('nodes prints a table, or JSON', async () => {
    await serve({ 'GET /v1/nodes': () => [nodeView()] });
    expect((await trigger(['nodes'], at(daemon))).stdout).toMatch(/^NODE .*\nlb01\.example\.com +present/);
    expect(JSON.parse((await trigger(['nodes', '--json'], at(daemon))).stdout)).toEqual([nodeView()]);
  });
});

describe('trigger plugin', () => {
  it('plugin list and info show and explain plugins', async () => {
    await serve({ 'GET /v1/plugins': () => [pluginView()], 'GET /v1/plugin': () => pluginView() });
    expect((await trigger(['plugin', 'list'], at(daemon))).stdout).toMatch(/service +refused/);
    expect((await trigger(['plugin', 'info', 'a/b'], at(daemon))).stdout).toMatch(/^Plugin: +service/);
    expect(daemon.requests[1]?.query).toEqual({ name: 'a/b' });
  });

  it.each([
    [true, 0],
    [false, 1],
  ])('plugin test of a plugin that is ok: %s exits %d', async (ok, code) => {
    await serve({
      'POST /v1/plugin/test': () => ({ name: 'p', ok, expected_exit_code: 0, exit_code: 0, output: '', problem: null }),
    });
    expect((await trigger(['plugin', 'test', 'p'], at(daemon))).code).toBe(code);
  });
});

describe('trigger fire --rerun', () => {
  const again = (...more: string[]) => trigger(['fire', '--rerun', firingId, ...more], at(daemon));
  const earlier = (view: Partial<FiringView> = {}): Answer => {
    const nodes = ['a', 'b', 'c', 'd'];
    const outcomes = {
      a: succeeded('a'),
      b: failed('b'),
      c: outcomeView({ node: 'c', stage: 'skipped', reason: 'expired' }),
      d: running('d'),
    };
    return () => firingView({ id: firingId, trigger: 'a name', targets: nodes, outcomes, tags: ['web'], ...view });
  };
  const firing = `GET /v1/firings/${firingId}`;

  it('fire --rerun fires what the earlier firing ran, on all its nodes', async () => {
    const job = { plugin: 'service', args: { name: 'nginx' } };
    await serve({ 'POST /v1/firings': fired, [firing]: earlier({ job, noop: true }) });
    expect((await again('--ttl', '1h')).code).toBe(0);
    expect(daemon.requests.at(-1)?.body).toEqual({
      trigger: 'a name',
      hosts: ['a', 'b', 'c', 'd'],
      plugin: 'service',
      args: { name: 'nginx' },
      tags: ['web'],
      noop: true,
      ttl_ms: 3_600_000,
      user: expect.any(String),
    });
  });

  it('fire --rerun --failed fires on nodes where it failed, and names those where it has not ended', async () => {
    await serve({ 'POST /v1/firings': fired, [firing]: earlier() });
    const { stderr } = await again('--failed');
    expect(daemon.requests.at(-1)?.body).toMatchObject({ hosts: ['b', 'c'] });
    expect(stderr).toBe(`trigger: ${firingId} has not ended on d: nothing new is fired there\n`);
  });

  it('fire --rerun --failed fires nothing where nothing failed', async () => {
    await serve({ 'POST /v1/firings': fired, [firing]: earlier({ targets: ['a'], outcomes: { a: succeeded('a') } }) });
    const { code, stdout, stderr } = await again('--failed');
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toBe(`trigger: ${firingId} did not fail on any node: nothing is fired\n`);
    expect(daemon.requests.map(({ method }) => method)).toEqual(['GET']);
  });

  it('fire --rerun refuses to run something else because an earlier version’s daemon tells no tags', async () => {
    const { tags: _, ...untold } = firingView({ id: firingId, targets: ['a'] });
    await serve({ 'POST /v1/firings': fired, [firing]: () => untold });
    const { code, stderr } = await again();
    expect([code, stderr]).toEqual([3, expect.stringContaining('does not report the tags')]);
    expect(daemon.requests.map(({ method }) => method)).toEqual(['GET']);
  });
});

describe('trigger fire --wait at many nodes', () => {
  const many = Array.from({ length: 30 }, (_, at) => `web${String(at).padStart(2, '0')}`);
  const ends = many.map((node) => (node === 'web07' ? failed(node) : succeeded(node)));
  const routes = () => ({
    'POST /v1/firings': () => ({ id: firingId, targets: many, unseen: [] }),
    [follow]: following(...ends),
  });
  const command = ['fire', 'x', '--host', many.join(','), '--wait'];

  it('fire --wait at many nodes shows failures and a sum on a terminal, and all nodes with --all', async () => {
    await serve(routes());
    const env = { TRIGGERD_SOCKET: daemon.socket };
    for (const [more, lines] of [
      [[], 1],
      [['--all'], 30],
    ] as const) {
      const shell = 'trigger "$@"; echo "exit $?"; read -r _';
      const PATH = `${dirname(binary)}:${process.env['PATH'] ?? ''}`;
      const screen = await openScreen(['sh', '-c', shell, 'sh', ...command, ...more], {
        env: { ...env, PATH },
        height: 50,
      });
      const shown = await until(async () => {
        const text = (await screen.lines()).join('\n');
        return text.includes('exit 4') ? text : undefined;
      }, 'the end');
      await screen.close();
      expect(shown.match(/^web\d\d /gm)).toHaveLength(lines);
      expect(shown.includes('29 succeeded, 1 failed')).toBe(lines === 1);
    }
  });

  it('fire --wait at many nodes shows all nodes in a pipe', async () => {
    await serve(routes());
    expect((await trigger(command, at(daemon))).stdout.match(/^web\d\d /gm)).toHaveLength(30);
  });
});
