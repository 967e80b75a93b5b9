import type { ServerResponse } from 'node:http';
import stringWidth from 'string-width';
import { afterEach, describe, expect, it } from 'vitest';
import { type Answer, refuse, type StubDaemon, startStubDaemon, takenOver } from '../../support/stub-daemon.ts';
import { until } from '../../support/wait.ts';
import { finishedView, jobView, nodeView, queueView } from '../../unit/cli/views.ts';
import { at, start, trigger } from './trigger.ts';

let daemon: StubDaemon;
const serve = async (routes: Record<string, Answer>): Promise<void> => {
  daemon = await startStubDaemon(routes);
};
afterEach(() => daemon.close());

const asked = () => daemon.requests.map(({ method, path }) => `${method} ${path}`);

describe('a command that cannot be added', () => {
  it('queue add names a folder that was removed', async () => {
    await serve({});
    const through = ['sh', '-c', 'd=$(mktemp -d) && cd "$d" && rmdir "$d" && exec "$0" "$@"'];
    const { code, stderr } = await trigger(['queue', 'add', '--', 'true'], { ...at(daemon), through });
    expect([code, stderr]).toEqual([2, expect.stringContaining('trigger: the working folder was removed\n')]);
  });

  it('queue add refuses more words than a command may have', async () => {
    await serve({});
    const through = ['sh', '-c', '"$0" "$@" $(seq 100000)'];
    const { code, stderr } = await trigger(['queue', 'add', '--', 'true'], { ...at(daemon), through });
    expect([code, stderr]).toEqual([2, expect.stringContaining('has 100001 words, but at most 10000 are allowed')]);
    expect(asked()).toEqual([]);
  });
});

describe('trigger queue', () => {
  const jobs = [
    finishedView({ id: 1 }),
    jobView({ id: 2, state: 'running', label: 'x' }),
    jobView({ id: 3, queue: 'requests' }),
  ];
  const routes: Record<string, Answer> = {
    'GET /v1/queues': () => [queueView({ running: 1 }), queueView({ name: 'requests', slots: 4, paused: true })],
    'GET /v1/jobs': ({ query }) => jobs.filter(({ queue }) => query['queue'] === undefined || queue === query['queue']),
  };

  it('trigger queue shows the queue “default”', async () => {
    await serve(routes);
    const { code, stdout, stderr } = await trigger(['queue'], at(daemon));
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')[0]).toMatch(
      /^ID {3}State {6}Output {17,}E-Level {2}Times\(r\/u\/s\) {3}Command \[run=1\/1\]$/,
    );
    expect(stdout).toMatch(/^2 +running .*\[x\]true$/m);
    expect(stdout).not.toMatch(/^3 /m);
  });

  it('trigger queue has the alias q, and fits the width that watch gives', async () => {
    await serve({ ...routes, 'GET /v1/jobs': () => [jobView({ command: 'x'.repeat(200) })] });
    const { stdout } = await trigger(['q'], at(daemon, { COLUMNS: '80' }));
    expect(stdout).toContain('…');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it.each(['測試', '⌚', 'e\u0301', '🇩🇪'])(
    'trigger queue fits the width of the terminal with a command of %s, and uses all of it',
    async (char) => {
      await serve({ ...routes, 'GET /v1/jobs': () => [jobView({ command: char.repeat(200) })] });
      const { stdout } = await trigger(['queue'], at(daemon, { COLUMNS: '81' }));
      const [, row = ''] = stdout.split('\n');
      expect(row).toMatch(/…$/);
      // One column is left where a character takes two and does not fit any more.
      expect([80, 81]).toContain(stringWidth(row));
    },
  );

  it('trigger queue --all-queues shows all queues with their names', async () => {
    await serve(routes);
    const { stdout } = await trigger(['queue', '--all'], at(daemon));
    expect(stdout).toMatch(/^default:\nID /);
    expect(stdout).toMatch(/\n\nrequests:\nID .*\[run=0\/4\] paused\n3 /);
  });

  it('trigger queue --all shows every ended job with its result', async () => {
    const ended = [3, 1, 2].map((id) => finishedView({ id, finished_at: `2026-11-20T12:00:0${4 - id}.000Z` }));
    await serve({
      'GET /v1/queues': () => [queueView()],
      'GET /v1/jobs': ({ query }) => (query['limit'] === undefined ? [jobView({ id: 9 })] : ended),
    });
    const { stdout } = await trigger(['queue', '--all'], at(daemon));
    expect(stdout.match(/^\d+/gm)).toEqual(['9', '3', '2', '1']);
    expect(daemon.requests.slice(1).map(({ query }) => query)).toEqual([
      { queue: 'default', command: '1024', ended: '0' },
      { queue: 'default', state: 'finished,skipped', command: '1024', limit: '500' },
    ]);
  });

  it('trigger queue says how many more are queued where the daemon lists only the head', async () => {
    const queued = Array.from({ length: 1000 }, (_, id) => jobView({ id: id + 1 }));
    await serve({
      'GET /v1/queues': () => [queueView({ queued: 100_000 })],
      'GET /v1/jobs': () => [finishedView({ id: 5000 }), ...queued],
    });
    const lines = (await trigger(['queue'], at(daemon))).stdout.trimEnd().split('\n');
    expect(lines.slice(1001, 1002)).toEqual(['… and 99,000 more queued']);
    expect(lines.slice(1002)).toEqual([expect.stringMatching(/^5000 /)]);
  });

  it('trigger queue --json reads page by page, in the order of the IDs', async () => {
    const all = Array.from({ length: 1234 }, (_, id) => jobView({ id: id + 1, command: 'a\nb' }));
    await serve({
      'GET /v1/jobs': ({ query }) => {
        const after = Number(query['after'] ?? 0);
        return all.slice(after, after + Number(query['limit']));
      },
    });
    const { code, stdout } = await trigger(['queue', '--json'], at(daemon));
    expect([code, JSON.parse(stdout)]).toEqual([0, all]);
    expect(stdout).toBe(`${JSON.stringify(all, null, 2)}\n`);
    expect(daemon.requests.map(({ query }) => query['after'])).toEqual([undefined, '500', '1000']);
  });

  it('trigger queue --json prints an empty array for an empty queue, and an error for an unknown one', async () => {
    await serve({
      'GET /v1/jobs': ({ query }, response) =>
        query['queue'] === 'nope' ? refuse(response, 404, { code: 'queue-not-found', message: 'no' }) : [],
    });
    expect(await trigger(['queue', '--json'], at(daemon))).toEqual({ code: 0, stdout: '[]\n', stderr: '' });
    const { code, stdout, stderr } = await trigger(['queue', '--json', '--queue', 'nope'], at(daemon));
    expect([code, stdout, JSON.parse(stderr).error.code]).toEqual([1, '', 'queue-not-found']);
  });

  it('trigger queue --json prints all jobs, or those of one queue', async () => {
    await serve(routes);
    expect(JSON.parse((await trigger(['queue', '--json'], at(daemon))).stdout)).toEqual(jobs);
    expect(JSON.parse((await trigger(['--json', 'queue', '--queue', 'requests'], at(daemon))).stdout)).toEqual([
      jobs[2],
    ]);
  });

  it('trigger queue refuses a queue that does not exist', async () => {
    await serve(routes);
    const { code, stderr } = await trigger(['queue', '--queue', 'nope'], at(daemon));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^trigger: there is no queue “nope”\n {2}Use the name/);
  });

  it('trigger queue says that its output cannot be written', async () => {
    await serve(routes);
    const { code, stderr } = await trigger(['queue'], {
      ...at(daemon),
      through: ['sh', '-c', '"$0" "$@" > /dev/full'],
    });
    expect([code, stderr]).toEqual([1, expect.stringContaining('ENOSPC')]);
  });

  it('trigger queue ends quietly when its reader goes away', async () => {
    await serve({ ...routes, 'GET /v1/jobs': () => Array.from({ length: 20_000 }, (_, id) => jobView({ id })) });
    const through = ['bash', '-c', 'set -o pipefail; "$0" "$@" | head -n 1'];
    const { code, stdout, stderr } = await trigger(['queue'], { ...at(daemon), through });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^ID /);
    expect(code).toBe(0);
  });
});

describe('on a terminal', () => {
  const ended = finishedView({ wait_exit_code: 7 });
  const onTerminal = (args: string) => ['sh', '-c', `exec script -qec "$0 ${args}" /dev/null`];

  it('wait shows on a terminal that it waits, on a line that it deletes later', async () => {
    await serve({ 'GET /v1/jobs/1': () => jobView(), 'GET /v1/jobs/1/wait': () => ended });
    const through = onTerminal('queue wait 1');
    const { code, stdout } = await trigger([], { ...at(daemon), through });
    const [before, ...drawn] = stdout.split('\r\u001b[K');
    expect([code, before, drawn.at(-1)]).toEqual([7, '', '']);
    expect(drawn[0]).toBe('waiting for job 1 · 0 s');
    // On a busy machine it may be drawn again before the answer is there.
    for (const line of drawn.slice(1, -1)) expect(line).toMatch(/^waiting for job 1 · \d+ s$/);
  });

  it.each([
    ['', true],
    ['1', false],
  ])('NO_COLOR=%s on a terminal leaves colours: %s', async (NO_COLOR, colored) => {
    await serve({ 'GET /v1/nodes': () => [nodeView()] });
    const through = onTerminal('nodes');
    const { stdout } = await trigger([], { ...at(daemon, { NO_COLOR, TERM: 'xterm' }), through });
    expect(stdout).toContain('present');
    expect(stdout.includes('\u001b[32m')).toBe(colored);
  });
});

describe('trigger queue add', () => {
  const routes: Record<string, Answer> = { 'POST /v1/jobs': () => jobView({ id: 42 }) };
  const added = () => daemon.requests[0]?.body;
  const user = expect.any(String);

  it('queue add prints the ID, and sends the command unchanged', async () => {
    await serve(routes);
    const { code, stdout } = await trigger(['queue', 'add', '--', 'sh', '-c', 'echo "$HOME" --json'], {
      ...at(daemon),
      cwd: '/tmp',
    });
    expect([code, stdout]).toEqual([0, '42\n']);
    expect(added()).toEqual({ plugin: 'command', argv: ['sh', '-c', 'echo "$HOME" --json'], cwd: '/tmp', user });
  });

  it('queue add takes no option of the command for its own', async () => {
    await serve(routes);
    await trigger(['queue', 'add', '--label', 'x', 'ls', '-la', '--json', '--label', 'y'], { ...at(daemon), cwd: '/' });
    const argv = ['ls', '-la', '--json', '--label', 'y'];
    expect(added()).toEqual({ plugin: 'command', argv, cwd: '/', label: 'x', user });
  });

  it('queue add sends every option', async () => {
    await serve(routes);
    const options =
      '--queue requests --plugin service --arg name=nginx --arg x=a=b --env A=1 --timeout 1m30s --after 7 --urgent --noop';
    await trigger(['queue', 'add', ...options.split(' ')], { ...at(daemon), cwd: '/' });
    expect(added()).toEqual({
      user,
      queue: 'requests',
      plugin: 'service',
      argv: [],
      cwd: '/',
      args: { name: 'nginx', x: 'a=b' },
      env: { A: '1' },
      timeout_ms: 90_000,
      after: 7,
      urgent: true,
      noop: true,
    });
  });

  it('queue add --json prints the job as JSON', async () => {
    await serve(routes);
    expect(JSON.parse((await trigger(['queue', 'add', '--json', '--', 'true'], at(daemon))).stdout)).toEqual(
      jobView({ id: 42 }),
    );
  });

  it('queue add prints the daemon’s refusal on stderr', async () => {
    await serve({ 'POST /v1/jobs': (_, response) => refuse(response, 503, { code: 'queue-full', message: 'full' }) });
    const human = await trigger(['queue', 'add', '--', 'true'], at(daemon));
    expect(human).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(/^trigger: full\n {2}Wait until/) });
    const json = await trigger(['queue', 'add', '--json', '--', 'true'], at(daemon));
    expect([json.code, json.stdout]).toEqual([1, '']);
    expect(JSON.parse(json.stderr)).toEqual({
      error: { code: 'queue-full', message: 'full', remedy: expect.stringContaining('max_queued'), details: {} },
    });
  });
});

describe('verbs of a job', () => {
  it.each(['kill', 'remove', 'urgent', 'retry'])('%s sends its request, and prints only a new ID', async (verb) => {
    await serve({ [`POST /v1/jobs/3/${verb}`]: () => jobView({ id: 4 }) });
    const { code, stdout } = await trigger(['queue', verb, '3'], at(daemon));
    expect([code, stdout]).toEqual([0, verb === 'retry' ? '4\n' : '']);
  });

  it.each([
    ['kill', 'started'],
    ['remove', 'queued'],
    ['urgent', 'queued'],
  ])('%s without an ID means what tsp means: the job %s last', async (verb, which) => {
    await serve({
      'GET /v1/jobs/latest': () => jobView({ id: 8 }),
      [`POST /v1/jobs/8/${verb}`]: () => jobView({ id: 8 }),
    });
    expect(await trigger(['queue', verb], at(daemon))).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(daemon.requests[0]?.query).toEqual({ which });
  });

  it.each(['cat', 'tail', 'info'])('%s without an ID means the job that runs, or ran last', async (verb) => {
    const job = finishedView({ id: 8, wait_exit_code: 3 });
    await serve({
      'GET /v1/jobs/latest': () => job,
      'GET /v1/jobs/8': () => job,
      'GET /v1/jobs/8/wait': () => job,
      'GET /v1/jobs/8/output': (_, response) => {
        response.end('out\n');
        return takenOver;
      },
    });
    const { code, stdout } = await trigger(['queue', verb], at(daemon));
    expect([code, stdout]).toEqual(verb === 'info' ? [0, expect.stringMatching(/^Job: +8\n/)] : [3, 'out\n']);
    expect(daemon.requests[0]?.query).toEqual({ which: 'started' });
  });

  it('swap names both jobs', async () => {
    await serve({ 'POST /v1/jobs/swap': () => [jobView({ id: 2 }), jobView({ id: 1 })] });
    expect((await trigger(['queue', 'swap', '1', '2'], at(daemon))).code).toBe(0);
    expect(daemon.requests[0]?.body).toEqual({ a: 1, b: 2 });
  });

  it('info shows the job’s facts', async () => {
    await serve({ 'GET /v1/jobs/3': () => finishedView({ id: 3, label: 'nightly' }) });
    expect((await trigger(['queue', 'info', '3'], at(daemon))).stdout).toMatch(/^Job: +3\n[\s\S]*Label: +nightly\n/);
  });
});

describe('verbs of a queue', () => {
  it.each(['pause', 'resume', 'drain'])('%s of a queue prints nothing', async (verb) => {
    await serve({
      [`POST /v1/queues/default/${verb}`]: () => queueView(),
      [`POST /v1/queues/q/${verb}`]: () => queueView(),
    });
    expect(await trigger(['queue', verb], at(daemon))).toEqual({ code: 0, stdout: '', stderr: '' });
    await trigger(['queue', '--queue', 'q', verb], at(daemon));
    await trigger(['queue', verb, '--queue', 'q'], at(daemon));
    expect(asked().slice(1)).toEqual([`POST /v1/queues/q/${verb}`, `POST /v1/queues/q/${verb}`]);
  });

  it('slots shows and sets the number of slots', async () => {
    await serve({
      'GET /v1/queues/default/slots': () => ({ slots: 3 }),
      'PUT /v1/queues/default/slots': ({ body }) => body,
    });
    expect((await trigger(['queue', 'slots'], at(daemon))).stdout).toBe('3\n');
    expect((await trigger(['queue', 'slots', '5'], at(daemon))).stdout).toBe('');
    expect(daemon.requests[1]?.body).toEqual({ slots: 5 });
  });

  it('clear deletes the ended jobs of one queue, or of all', async () => {
    await serve({
      'POST /v1/queues/default/clear': () => ({ cleared: 3 }),
      'POST /v1/queues/*/clear': () => ({ cleared: 4 }),
    });
    expect((await trigger(['queue', 'clear'], at(daemon))).stderr).toBe('ended jobs deleted: 3\n');
    expect((await trigger(['queue', 'clear', '--all', '--json'], at(daemon))).stdout).toBe('{\n  "cleared": 4\n}\n');
  });
});

describe('wait, cat and tail', () => {
  const ended = finishedView({ id: 3, result: 'failed', exit_code: 7, wait_exit_code: 7 });
  const runningJob: Answer = () => jobView({ id: 3, state: 'running' });

  it('wait exits with the job’s own exit code', async () => {
    await serve({ 'GET /v1/jobs/3': runningJob, 'GET /v1/jobs/3/wait': () => ended });
    expect(await trigger(['queue', 'wait', '3'], at(daemon))).toEqual({ code: 7, stdout: '', stderr: '' });
  });

  it('wait without an ID means the job added last', async () => {
    await serve({
      'GET /v1/jobs/latest': ({ query }) => (query['which'] === 'added' ? ended : undefined),
      'GET /v1/jobs/3': () => ended,
    });
    expect((await trigger(['queue', 'wait'], at(daemon))).code).toBe(7);
  });

  it('wait exits 5 when its time has passed', async () => {
    await serve({ 'GET /v1/jobs/3': runningJob, 'GET /v1/jobs/3/wait': () => takenOver });
    const { code, stderr } = await trigger(['queue', 'wait', '3', '--timeout', '50ms'], at(daemon));
    expect([code, stderr]).toEqual([5, expect.stringMatching(/^trigger: job 3 has not ended after 50ms\n/)]);
  });

  it.each(['30d', '60d'])('wait waits %s', async (timeout) => {
    await serve({
      'GET /v1/jobs/3': runningJob,
      'GET /v1/jobs/3/wait': (_, response) => {
        setTimeout(() => response.end(JSON.stringify(ended)), 100);
        return takenOver;
      },
    });
    expect((await trigger(['queue', 'wait', '3', '--timeout', timeout], at(daemon))).code).toBe(7);
  });

  it('Ctrl-C during wait exits 130, and says that the job continues', async () => {
    await serve({ 'GET /v1/jobs/3': runningJob, 'GET /v1/jobs/3/wait': () => takenOver });
    const waiting = start(['queue', 'wait', '3'], at(daemon));
    await until(() => asked().length === 2, 'the daemon to be asked');
    waiting.process.kill('SIGINT');
    expect(await waiting.ended).toEqual({ code: 130, stdout: '', stderr: 'trigger: job 3 continues\n' });
  });

  it('wait asks a daemon that restarts meanwhile again', async () => {
    const answers = [
      (response: ServerResponse) => response.destroy(),
      (response: ServerResponse) => response.writeHead(503).end('{"error":"Service Unavailable"}'),
      (response: ServerResponse) => refuse(response, 503, { code: 'draining', message: 'stopping' }),
      (response: ServerResponse) => response.end(JSON.stringify(ended)),
    ];
    await serve({
      'GET /v1/jobs/3': runningJob,
      'GET /v1/jobs/3/wait': (_, response) => {
        answers.shift()?.(response);
        return takenOver;
      },
    });
    expect(await trigger(['queue', 'wait', '3'], at(daemon))).toEqual({ code: 7, stdout: '', stderr: '' });
  });

  it.each(['wait', 'cat', 'tail'])('%s fails at once when no daemon runs', async (verb) => {
    await serve({
      'GET /v1/jobs/3': (_, response) => {
        response.destroy();
        return takenOver;
      },
    });
    expect([(await trigger(['queue', verb, '3'], at(daemon))).code, asked().length]).toEqual([3, 1]);
  });

  it('tail continues at its position when the daemon was away', async () => {
    const parts = [
      { from: 100, text: 'öne\ntw', breaks: true },
      { from: 107, text: 'o\n', breaks: true },
      { from: 109, text: 'three\n', breaks: false },
    ];
    await serve({
      'GET /v1/jobs/3': runningJob,
      'GET /v1/jobs/3/output': (_, response) => {
        const part = parts.shift();
        response.setHeader('x-output-from', part?.from ?? 0);
        if (part?.breaks === true) response.write(part.text, () => setTimeout(() => response.destroy(), 50));
        else response.end(part?.text);
        return takenOver;
      },
      'GET /v1/jobs/3/wait': () => ended,
    });
    const tail = await trigger(['queue', 'tail', '3'], at(daemon));
    expect(tail).toEqual({ code: 7, stdout: 'öne\ntwo\nthree\n', stderr: '' });
    const outputs = daemon.requests.filter(({ path }) => path.endsWith('/output')).map(({ query }) => query);
    expect(outputs).toEqual([
      { follow: '1', lines: '10' },
      { follow: '1', from: '107' },
      { follow: '1', from: '109' },
    ]);
  });

  it('cat gives the output’s bytes and the job’s exit code', async () => {
    await serve({
      'GET /v1/jobs/3': () => ended,
      'GET /v1/jobs/3/output': (_, response) => {
        response.end('one\ntwo without a newline');
        return takenOver;
      },
      'GET /v1/jobs/3/wait': () => ended,
    });
    expect(await trigger(['queue', 'cat', '3'], at(daemon))).toEqual({
      code: 7,
      stdout: 'one\ntwo without a newline',
      stderr: '',
    });
  });

  it('cat into a closed pipe still exits with the job’s exit code', async () => {
    await serve({
      'GET /v1/jobs/3': () => ended,
      'GET /v1/jobs/3/output': (_, response) => {
        response.end('line\n'.repeat(100_000));
        return takenOver;
      },
    });
    const through = ['bash', '-c', 'set -o pipefail; "$0" "$@" | head -n 1'];
    expect(await trigger(['queue', 'cat', '3'], { ...at(daemon), through })).toEqual({
      code: 7,
      stdout: 'line\n',
      stderr: '',
    });
  });

  it('tail shows lines as they arrive, until the job has ended', async () => {
    let goOn = () => {};
    await serve({
      'GET /v1/jobs/3': () => jobView({ id: 3, state: 'running' }),
      'GET /v1/jobs/3/output': (_, response) => {
        response.write('first\n');
        goOn = () => response.end('second\n');
        return takenOver;
      },
      'GET /v1/jobs/3/wait': () => ended,
    });
    const tail = start(['queue', 'tail', '3'], at(daemon));
    await until(() => tail.output.stdout === 'first\n', 'the first line');
    goOn();
    expect(await tail.ended).toEqual({ code: 7, stdout: 'first\nsecond\n', stderr: '' });
    expect(daemon.requests[1]?.query).toEqual({ follow: '1', lines: '10' });
  });

  it('tail -n 0 shows only what is new', async () => {
    await serve({
      'GET /v1/jobs/3': () => ended,
      'GET /v1/jobs/3/output': (_, response) => {
        response.end();
        return takenOver;
      },
      'GET /v1/jobs/3/wait': () => ended,
    });
    expect(await trigger(['queue', 'tail', '-n', '0', '3'], at(daemon))).toEqual({ code: 7, stdout: '', stderr: '' });
    expect(daemon.requests[1]?.query).toEqual({ follow: '1', lines: '0' });
  });

  it('Ctrl-C ends tail with 130 and leaves the job alone', async () => {
    await serve({
      'GET /v1/jobs/3': () => jobView({ id: 3, state: 'running' }),
      'GET /v1/jobs/3/output': (_, response) => {
        response.write('first\n');
        return takenOver;
      },
    });
    const tail = start(['queue', 'tail', '3'], at(daemon));
    await until(() => tail.output.stdout === 'first\n', 'the first line');
    tail.process.kill('SIGINT');
    expect(await tail.ended).toMatchObject({ code: 130, stderr: '\ntrigger: job 3 continues\n' });
    expect(asked()).not.toContain('POST /v1/jobs/3/kill');
  });
});
