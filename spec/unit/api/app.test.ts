import { Readable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { serveRoutes } from '../../../src/adapters/http/serve-routes.ts';
import type { HealthView } from '../../../src/api/contract/health.ts';
import { controlRoutes } from '../../../src/api/control-routes.ts';
import type { ApiServices, Outputs } from '../../../src/api/services/services.ts';
import { TriggerdError } from '../../../src/domain/errors.ts';
import type { Firing } from '../../../src/domain/firing.ts';
import type { FinishedJob, JobRequest, QueuedJob } from '../../../src/domain/job.ts';
import { outcomeOfJob } from '../../../src/domain/outcome.ts';
import { tailOf } from '../../../src/kit/text-or-bytes.ts';
import type { Queues } from '../../../src/queue/queues.ts';
import { firing } from '../../support/firings.ts';
import { jobRequest } from '../../support/jobs.ts';
import { memoryJournal } from '../../support/memory-journal.ts';
import { heldRunner, queuesOf } from '../../support/queues.ts';

const queued = (request: JobRequest): QueuedJob => ({
  id: 7,
  request,
  command: 'true',
  firings: [],
  attempt: 0,
  folder: '/s/jobs/7',
  enqueuedAt: 0,
  state: 'queued',
  deferral: null,
});
const finished: FinishedJob = {
  ...queued(jobRequest()),
  state: 'finished',
  startedAt: 1000,
  finishedAt: 3000,
  attempt: 1,
  result: { kind: 'failed', exitCode: 6 },
  times: { realS: 2, userS: 1, systemS: 0.5 },
  details: {},
};
const summary = { name: 'default', slots: 1, paused: false, draining: false, queued: 0, running: 0, deferred: 0 };

/** The room's face with just what a test needs; anything else that is called fails the test. */
const appWith = (queues: Partial<Queues>, more: Partial<ApiServices> = {}) => {
  const { add } = queues;
  const offer = add && ((request: JobRequest) => ({ job: add(request), isNew: true }));
  const services = {
    queues: { summary: () => [summary], ...(offer && { offer }), ...queues },
    pidOf: () => null,
    node: 'lb01',
    now: () => Date.parse('2026-11-20T12:00:00.000Z'),
    newFiringId: () => '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD',
    ...more,
  };
  const onError = vi.fn();
  return { app: serveRoutes(controlRoutes(services as ApiServices), onError), onError };
};

describe('the control API', () => {
  it('the control API journals a job with every default written out', async () => {
    const add = vi.fn(queued);
    const { app } = appWith({ add });
    const answer = await app.inject({
      method: 'POST',
      url: '/v1/jobs',
      payload: { argv: ['true'], plugin: 'command/command' },
    });
    expect(answer.statusCode).toBe(201);
    expect(answer.json()).toMatchObject({ id: 7, state: 'queued', output: '/s/jobs/7/output', result: null });
    expect(add).toHaveBeenCalledWith(jobRequest({ argv: ['true'] }));
  });

  it.each([
    [{ argv: 'true' }, /argv/],
    [{ argv: ['true'], colour: 'red' }, /colour/],
    [{ cwd: 'relative' }, /cwd/],
    [{ timeout_ms: 0 }, /timeout_ms/],
    [{ plugin: '../../bin/sh' }, /plugin name/],
    [{ env: { 'A B': 'x' } }, /env/],
    [{ argv: ['a', 'b\0c'] }, /^argv\.1: Expected no NUL character$/],
    [{ args: { text: '\0' } }, /args\.text: .*NUL/],
    [{ env: { A: '\0' } }, /env\.A: .*NUL/],
    [{ label: '\0' }, /label: .*NUL/],
    [{ cwd: '/a\0' }, /cwd: .*NUL/],
    [{ argv: ['rm', 'caf\ud800'] }, /^argv\.1: Expected no half of a surrogate pair$/],
    [{ label: '\udc00' }, /label: .*surrogate/],
  ])('the control API refuses %j with the field’s name', async (payload, message) => {
    const { app } = appWith({});
    const answer = await app.inject({ method: 'POST', url: '/v1/jobs', payload });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error.message).toMatch(message);
  });

  it('the control API takes any payload: it is a file’s content', async () => {
    const { app } = appWith({ add: queued });
    const answer = await app.inject({ method: 'POST', url: '/v1/jobs', payload: { payload: '\0' } });
    expect(answer.statusCode).toBe(201);
  });

  it('the control API refuses a body that is not UTF-8, whose words would change, and takes U+FFFD itself', async () => {
    const add = vi.fn(queued);
    const { app } = appWith({ add });
    const headers = { 'content-type': 'application/json' };
    const job = (name: string, encoding: BufferEncoding) =>
      app.inject({
        ...{ method: 'POST', url: '/v1/jobs', headers },
        payload: Buffer.from(JSON.stringify({ plugin: 'command', argv: ['rm', name] }), encoding),
      });
    const refused = await job('caf\xe9', 'latin1');
    expect([refused.statusCode, refused.json().error.code]).toEqual([400, 'text-not-utf8']);
    expect(add).not.toHaveBeenCalled();
    expect((await job('caf\ufffd', 'utf8')).statusCode).toBe(201);
    expect(add.mock.calls[0]?.[0]).toMatchObject({ argv: ['rm', 'caf\ufffd'] });
  });

  it('the control API refuses a body that is not JSON, or too large, as the caller’s mistake', async () => {
    const { app, onError } = appWith({});
    const headers = { 'content-type': 'application/json' };
    const broken = await app.inject({ method: 'POST', url: '/v1/jobs', headers, payload: '{"argv":' });
    expect([broken.statusCode, broken.json().error.code]).toEqual([400, 'input-invalid']);
    const large = await app.inject({ method: 'POST', url: '/v1/jobs', headers, payload: `"${'x'.repeat(5_000_000)}"` });
    expect([large.statusCode, large.json().error.code]).toEqual([400, 'input-invalid']);
    expect(onError).not.toHaveBeenCalled();
  });

  it('the control API gives a refusal its catalogue code, status and remedy', async () => {
    const get = () => {
      throw new TriggerdError('job-not-found', 'there is no job 9');
    };
    const { app } = appWith({ get });
    const answer = await app.inject('/v1/jobs/9');
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toEqual({
      error: {
        code: 'job-not-found',
        message: 'there is no job 9',
        remedy: expect.stringContaining('trigger queue'),
        details: {},
      },
    });
  });

  it('the control API calls a bug a bug, and logs it', async () => {
    const get = () => {
      throw new Error('boom');
    };
    const { app, onError } = appWith({ get });
    const answer = await app.inject('/v1/jobs/9');
    expect([answer.statusCode, answer.json().error.code]).toEqual([500, 'internal']);
    expect(onError).toHaveBeenCalledOnce();
  });

  it('the control API sends any statement to the registry as local, and passes on the refusal', async () => {
    const execute = vi.fn(async () => ({ kind: 'team', rows: [{ id: 1 }], notices: [] }) as const);
    const { app } = appWith({}, { registry: { execute } as unknown as ApiServices['registry'] });
    const ask = (payload: object) => app.inject({ method: 'POST', url: '/v1/registry', payload });
    expect((await ask({ statement: { verb: 'team.list' } })).json()).toMatchObject({ kind: 'team', rows: [{ id: 1 }] });
    expect(execute).toHaveBeenCalledWith({ kind: 'local' }, { verb: 'team.list' });
    expect((await ask({ statement: {}, actor: { kind: 'user' } })).statusCode).toBe(400);
    execute.mockRejectedValueOnce(new TriggerdError('registry-exists', 'there is one'));
    const refused = await ask({ statement: { verb: 'team.add', name: 'x' } });
    expect([refused.statusCode, refused.json().error.code]).toEqual([409, 'registry-exists']);
  });

  it('the control API lists what is asked for, and never without a limit', async () => {
    const list = vi.fn<Queues['list']>(() => []);
    const { app } = appWith({ list });
    const commandLength = 4096;
    for (const [url, filter] of [
      ['/v1/jobs', { endedLimit: 100, queuedLimit: 1000, commandLength }],
      ['/v1/jobs?queue=default&ended=0&queued=7', { queue: 'default', endedLimit: 0, queuedLimit: 7, commandLength }],
      ['/v1/jobs?limit=500&after=3&command=9', { limit: 500, afterId: 3, commandLength: 9 }],
      ['/v1/jobs?limit=1&state=finished,skipped', { limit: 1, states: ['finished', 'skipped'], commandLength }],
    ] as const) {
      expect((await app.inject(url)).json()).toEqual([]);
      expect(list).toHaveBeenLastCalledWith(filter);
    }
  });

  it.each(['/v1/jobs?queue=nope', '/v1/jobs/latest?which=added&queue=nope'])(
    'the control API answers %s: no such queue',
    async (url) => {
      const answer = await appWith({}).app.inject(url);
      expect([answer.statusCode, answer.json().error.code]).toEqual([404, 'queue-not-found']);
    },
  );

  it.each([
    '/v1/jobs?ended=all',
    '/v1/jobs?ended=1001',
    '/v1/jobs?limit=0',
    '/v1/jobs?limit=9999',
    '/v1/jobs?state=done',
  ])('the control API refuses %s', async (url) => {
    expect((await appWith({}).app.inject(url)).statusCode).toBe(400);
  });

  it('the control API knows which job is meant when none is named', async () => {
    const { journal } = memoryJournal();
    const queues = queuesOf({ journal, runner: heldRunner() });
    const { app } = appWith(queues);
    const latest = async (which: string) => {
      const { error, id } = (await app.inject(`/v1/jobs/latest?which=${which}`)).json();
      return error?.code ?? id;
    };
    expect([await latest('added'), await latest('queued'), await latest('started')]).toEqual(
      Array.from({ length: 3 }, () => 'job-not-found'),
    );
    for (let i = 0; i < 5; i += 1) queues.add(jobRequest());
    const ending = { finishedAt: 10, startedAt: 5, times: finished.times, result: finished.result, details: {} };
    // 5 is urgent and ends first, 4 is skipped last: the one added last is still 5, the one that ran last 1.
    for (const id of [5, 1]) {
      journal.start(id, id);
      journal.finish(id, { ...ending, finishedAt: 100 - id });
    }
    journal.skip(4, 'removed', 200);
    expect([await latest('added'), await latest('queued'), await latest('started')]).toEqual([5, 3, 1]);
    journal.start(3, 30);
    journal.start(2, 31);
    expect([await latest('queued'), await latest('started')]).toEqual(['job-not-found', 2]);
  });

  it.each(['/v1/jobs/x', '/v1/jobs/-1', '/v1/jobs?ended=-1'])(
    'the control API knows no job at the address %s',
    async (url) => {
      const { app } = appWith({});
      expect((await app.inject(url)).statusCode).toBe(400);
    },
  );

  it('the control API answers an unknown address with a code, too', async () => {
    const { app } = appWith({});
    const answer = await app.inject('/v2/everything');
    expect([answer.statusCode, answer.json().error.code]).toEqual([404, 'input-invalid']);
  });

  it('the control API shows a finished job whole', async () => {
    const { app } = appWith({ get: () => finished });
    expect((await app.inject('/v1/jobs/7')).json()).toMatchObject({
      state: 'finished',
      result: 'failed',
      exit_code: 6,
      wait_exit_code: 6,
      started_at: '1970-01-01T00:00:01.000Z',
      finished_at: '1970-01-01T00:00:03.000Z',
      times: { real: 2, user: 1, system: 0.5 },
    });
  });

  it('the control API ends a wait that takes too long with timed-out', async () => {
    const waitFor: Queues['waitFor'] = (_id, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const { app } = appWith({ waitFor });
    const answer = await app.inject('/v1/jobs/7/wait?timeout_ms=20');
    expect([answer.statusCode, answer.json().error.code]).toEqual([504, 'timed-out']);
  });

  it.each([30, 60])('the control API waits for a job’s end that is %i days away', async (days) => {
    const waitFor: Queues['waitFor'] = (_id, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        setTimeout(() => resolve(finished), 50);
      });
    const { app } = appWith({ waitFor });
    const answer = await app.inject(`/v1/jobs/7/wait?timeout_ms=${days * 86_400_000}`);
    expect([answer.statusCode, answer.json().state]).toEqual([200, 'finished']);
  });

  it('the control API fires with names made canonical, each target once', async () => {
    const publish = vi.fn(async (_firing: Firing) => ({ unseen: ['lb02'] }));
    const { app } = appWith({}, { firings: { publish } as unknown as ApiServices['firings'] });
    const payload = { trigger: 'refresh', hosts: ['LB01', 'lb01', 'lb02'], ttl_ms: 60_000, user: 'root' };
    const answer = await app.inject({ method: 'POST', url: '/v1/firings', payload });
    expect(answer.json()).toEqual({ id: '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD', targets: ['lb01', 'lb02'], unseen: ['lb02'] });
    expect(publish.mock.calls[0]?.[0]).toMatchObject({
      targets: ['lb01', 'lb02'],
      origin: { kind: 'cli', node: 'lb01', user: 'root' },
      expiresAt: '2026-11-20T12:01:00.000Z',
    });
  });

  it.each([
    [{ trigger: 'x', hosts: [] }, 'input-invalid'],
    [{ trigger: 'x', hosts: ['a/b'] }, 'node-name-invalid'],
    [{ trigger: 'x', hosts: ['a'.repeat(254)] }, 'node-name-invalid'],
    [{ trigger: 'x\n', hosts: ['a'] }, 'trigger-name-invalid'],
    [{ trigger: 'x'.repeat(256), hosts: ['a'] }, 'trigger-name-invalid'],
    [{ trigger: 'x', hosts: ['a'], plugin: 'p'.repeat(256) }, 'plugin-name-invalid'],
    [{ trigger: 'x', hosts: ['a'], chain: [{ firing: 'x', node: 'a', trigger: 'x' }] }, 'input-invalid'],
    [{ trigger: 'x', hosts: ['a'], plugin: '/bin/sh' }, 'plugin-name-invalid'],
    [{ trigger: 'x', hosts: ['a'], args: { text: 'a\0b' } }, 'input-invalid'],
  ])('the control API refuses to fire %j', async (payload, code) => {
    const { app } = appWith({});
    const answer = await app.inject({ method: 'POST', url: '/v1/firings', payload });
    expect([answer.statusCode, answer.json().error.code]).toEqual([400, code]);
  });

  it('the control API finds a node by a name of 253 characters, and says that a longer one is too long', async () => {
    const forgetNode = vi.fn<ApiServices['forgetNode']>(async () => 0);
    const { app } = appWith({}, { forgetNode });
    const label = 'n'.repeat(63);
    const name = `${label}.${label}.${label}.${label.slice(2)}`;
    const ask = (node: string) => app.inject({ method: 'POST', url: `/v1/nodes/${node}/forget`, payload: {} });
    expect((await ask(name)).json()).toEqual({ node: name, ended: 0 });
    expect((await ask(`${name}n`)).json().error.code).toBe('node-name-invalid');
  });

  it.each([
    [1024, 200],
    [1025, 400],
  ])('the control API answers a change to %i slots with %i', async (slots, status) => {
    const { app } = appWith({ setSlots: () => undefined, slots: () => slots });
    const answer = await app.inject({ method: 'PUT', url: '/v1/queues/default/slots', payload: { slots } });
    expect(answer.statusCode).toBe(status);
  });

  it('the control API follows a firing line by line', async () => {
    const fired = firing();
    async function* follow() {
      yield outcomeOfJob(queued(jobRequest()), fired.id, 'lb01', null);
      yield outcomeOfJob(finished, fired.id, 'lb01', tailOf(Buffer.from('caf\xe9\n', 'latin1')));
    }
    const firings = {
      follow,
      status: async () => ({ firing: fired, outcomes: [] }),
    } as unknown as ApiServices['firings'];
    const { app } = appWith({}, { firings });
    const answer = await app.inject(`/v1/firings/${fired.id}/follow`);
    const lines = answer.payload
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { stage: 'queued' },
      { stage: 'finished', result: 'failed', exit_code: 6, output_tail: 'caf\ufffd\n', output_tail_base64: 'Y2Fm6Qo=' },
    ]);
  });

  it('the control API has at most 32 followers of its events; one that leaves makes space', async () => {
    let end: () => void = () => undefined;
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    const follow = vi.fn(async function* () {
      await over;
      yield { kind: 'etcd.back' };
    });
    const { app } = appWith({}, { events: { here: { follow } } as unknown as ApiServices['events'] });
    const ask = () => app.inject('/v1/events/follow?after=1');
    const followers = Array.from({ length: 32 }, ask);
    await vi.waitFor(() => expect(follow).toHaveBeenCalledTimes(32));
    expect((await ask()).json().error.code).toBe('too-many-followers');
    end();
    await Promise.all(followers);
    expect((await ask()).statusCode).toBe(200);
  });

  it('the control API sends output as bytes', async () => {
    const open = vi.fn<Outputs['open']>(async () => ({ from: 5, bytes: Readable.from([Buffer.from([0, 255, 10])]) }));
    const { app } = appWith({ get: () => finished }, { outputs: { open } });
    const answer = await app.inject('/v1/jobs/7/output?follow=1&from=5');
    expect(open).toHaveBeenCalledWith(finished, { follow: true, lines: undefined, from: 5 }, expect.anything());
    expect(answer.headers['x-output-from']).toBe('5');
    expect(answer.headers['content-type']).toBe('application/octet-stream');
    expect([...answer.rawPayload]).toEqual([0, 255, 10]);
  });

  it('the control API reports the daemon’s health', async () => {
    const health = { node: 'lb01', watching: true } as HealthView;
    const { app } = appWith({}, { health: () => health });
    expect((await app.inject('/v1/health')).json()).toEqual(health);
  });
});
