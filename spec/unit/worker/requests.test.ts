import { describe, expect, it } from 'vitest';
import { maxPartialBytes, outputWindowBytes } from '../../../src/bus/messages.ts';
import { TriggerdError } from '../../../src/domain/errors.ts';
import {
  brokerAddress,
  type FakeJobs,
  fakeJobs,
  greet,
  newest,
  requestHead,
  requestId,
  startFakeWorker,
} from '../../support/bus-worker.ts';

const A = requestId('A');
const B = requestId('B');

const served = (options: Parameters<typeof startFakeWorker>[0] = {}, maxMessage = 1_048_576) => {
  const worker = startFakeWorker(options);
  const link = newest(worker);
  greet(link, 'one', { max_message: maxMessage });
  link.heard();
  return { ...worker, link };
};

/** Prints for the request, as its job would. */
const print = (jobs: FakeJobs, id: string, text: string | Buffer, stream: 'out' | 'err' = 'out'): Promise<unknown> =>
  Promise.all(jobs.listeners(id).map((listener) => listener.output({ stream, bytes: Buffer.from(text) })));

/** What is told at the end of a turn of the event loop has been told. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a request', () => {
  it('a request at the worker is a job with everything that the broker said', () => {
    const { link, jobs } = served();
    const fields = { args: { path: '/x' }, timeout_ms: 3_000, chain: ['F1'], ttl: 2 };
    link.say(requestHead(A, fields), 'uptime');
    expect(jobs.started).toEqual([
      {
        id: A,
        worker: 'team1/demo01',
        service: 'demoservice',
        plugin: 'command',
        args: { path: '/x' },
        payload: Buffer.from('uptime'),
        timeoutMs: 3_000,
        user: 'hp@team1',
        chain: ['F1'],
        ttl: 2,
      },
    ]);
  });

  it('a request at the worker is answered with its output as it arrives, and its end', async () => {
    const { link, jobs } = served();
    link.say(requestHead(A));
    await print(jobs, A, 'one\n');
    await print(jobs, A, 'two\n', 'err');
    jobs.end(A, { result: { kind: 'failed', exitCode: 3, reason: 'so it is' }, outputBytes: 8, ranMs: 12 });
    expect(link.heard()).toEqual([
      { op: 'partial', id: A, stream: 'out', offset: 0 },
      { op: 'partial', id: A, stream: 'err', offset: 4 },
      {
        ...{ op: 'final', id: A, job: 7, free: 2, seen: 1, result: 'failed', exit_code: 3, signal: null },
        ...{ reason: 'so it is', code: null, ran_ms: 12, output_bytes: 8 },
      },
    ]);
    expect(link.bodies()).toEqual(['one\n', 'two\n', 'tail']);
  });

  it('a request at the worker is returned when no slot is free', () => {
    const { link } = served({ jobs: fakeJobs(1) });
    link.say(requestHead(A));
    link.say(requestHead(B));
    expect(link.heard()).toEqual([{ op: 'returned', id: B, free: 0 }]);
  });

  it('a request for a plugin that this worker does not start ends as refused, and starts nothing', () => {
    const { link, jobs } = served({
      whyNotAllowed: (plugin) => (plugin === 'echo' ? undefined : 'it is not in its [workers] allow'),
    });
    link.say(requestHead(A, { plugin: 'command' }));
    link.say(requestHead(B, { plugin: 'echo' }));
    expect(jobs.started.map(({ id }) => id)).toEqual([B]);
    expect(link.heard()).toMatchObject([
      {
        op: 'final',
        id: A,
        result: 'refused',
        code: 'plugin-not-allowed',
        exit_code: null,
        job: null,
        free: 2,
        seen: 1,
      },
    ]);
  });

  it('a request that could never run says why', () => {
    const jobs = fakeJobs();
    jobs.start = () => {
      throw new TriggerdError('plugin-not-found', 'there is no plugin nope');
    };
    const { link } = served({ jobs });
    link.say(requestHead(A, { plugin: 'nope' }));
    expect(link.heard()).toMatchObject([
      { op: 'final', result: 'refused', code: 'plugin-not-found', reason: 'there is no plugin nope' },
    ]);
  });

  it('a request that was sent twice runs once, and is answered once', async () => {
    const { link, jobs } = served();
    link.say(requestHead(A));
    link.say(requestHead(A));
    await print(jobs, A, 'once');
    await turn();
    expect(jobs.started).toHaveLength(1);
    expect(link.heard()).toEqual([{ op: 'partial', id: A, stream: 'out', offset: 0 }]);
  });

  it('a request that is cancelled is killed', () => {
    const { link, jobs } = served();
    link.say(requestHead(A));
    link.say({ op: 'cancel', id: A, reason: 'cancelled by hp' });
    expect(jobs.cancelled).toEqual([`${A} team1/demo01: cancelled by hp`]);
  });

  it('a request continues without a listener when its broker is lost', async () => {
    const { link, jobs } = served();
    link.say(requestHead(A));
    link.down('gone');
    expect(jobs.listeners(A)).toEqual([]);
    expect(jobs.running()).toHaveLength(1);
  });

  it('a request that was disclaimed to another broker is returned to a broker that had sent it before', () => {
    const worker = startFakeWorker({ brokers: [brokerAddress('dead'), brokerAddress('alive')] });
    const [dead, alive] = worker.links;
    if (!dead || !alive) throw new Error('two connections');
    greet(dead, 'dead');
    greet(alive, 'alive');
    for (const link of [dead, alive]) link.heard();
    alive.say({ op: 'query', id: A, user: 'hp', team: 'team1' });
    dead.say(requestHead(A));
    expect(dead.heard()).toMatchObject([{ op: 'returned', id: A }]);
    expect(worker.jobs.started).toEqual([]);
    alive.say(requestHead(A));
    expect(worker.jobs.started).toHaveLength(1);
  });

  it('a request whose record cannot be read is not disclaimed', () => {
    const jobs = fakeJobs();
    jobs.follow = () => {
      throw new TriggerdError('journal-failed', 'disk error');
    };
    const { link } = served({ jobs });
    link.say({ op: 'query', id: A, user: 'hp', team: 'team1' });
    expect(link.heard()).toEqual([]);
  });

  it('a request is reported to its own user only', () => {
    const { link } = served();
    link.say(requestHead(A));
    link.say({ op: 'query', id: A, user: 'eve', team: 'team1' });
    expect(link.heard()).toEqual([{ op: 'known', id: A, known: false }]);
  });

  it('a request is reported to another broker that asks for it, after the answer to its question', async () => {
    const { link, jobs } = served();
    link.say(requestHead(A));
    link.say({ op: 'query', id: A, user: 'hp', team: 'team1' });
    link.say({ op: 'query', id: B, user: 'hp', team: 'team1' });
    await print(jobs, A, 'x');
    await turn();
    jobs.end(A);
    expect(link.heard()).toMatchObject([
      { op: 'known', id: A, known: true },
      { op: 'known', id: B, known: false },
      { op: 'partial', id: A, offset: 0 },
      { op: 'final', id: A },
    ]);
  });
});

describe('output', () => {
  it('output on the bus travels in pieces of bounded size', async () => {
    const { link, jobs } = served();
    link.say(requestHead(A));
    await print(jobs, A, Buffer.alloc(maxPartialBytes * 2 + 1));
    expect(link.heard()).toMatchObject([{ offset: 0 }, { offset: maxPartialBytes }, { offset: maxPartialBytes * 2 }]);
    expect(link.bodies().map(({ length }) => length)).toEqual([maxPartialBytes, maxPartialBytes, 1]);
  });

  it('output on the bus travels in smaller pieces where the broker accepts no larger ones', async () => {
    const { link, jobs } = served({}, 3);
    link.say(requestHead(A));
    await print(jobs, A, 'abcdefg');
    link.heard();
    expect(link.bodies()).toEqual(['abc', 'def', 'g']);
  });

  it('output on the bus waits when a window of it is not acknowledged, and continues with the acknowledgement', async () => {
    const { link, jobs } = served();
    link.say(requestHead(A));
    const printed = print(jobs, A, Buffer.alloc(outputWindowBytes + 1));
    const full = outputWindowBytes / maxPartialBytes;
    expect(link.heard()).toHaveLength(full);
    // Neither an old one nor an impossible one is an acknowledgement.
    for (const bytes of [0, outputWindowBytes * 2]) link.say({ op: 'ack', id: A, bytes });
    await Promise.resolve();
    expect(link.heard()).toEqual([]);
    link.say({ op: 'ack', id: A, bytes: 1 });
    await printed;
    expect(link.heard()).toEqual([{ op: 'partial', id: A, stream: 'out', offset: outputWindowBytes }]);
  });

  it('output on the bus does not keep a job waiting for a broker that is lost', async () => {
    const { link, jobs } = served();
    link.say(requestHead(A));
    const printed = print(jobs, A, Buffer.alloc(outputWindowBytes * 2));
    link.down('gone');
    await printed;
  });
});

describe('a broker that takes nothing any more', () => {
  it('a broker that accepts no more messages is left, rather than sent output with a gap', async () => {
    const { link, jobs, events } = served();
    link.say(requestHead(A));
    link.jam();
    await print(jobs, A, 'lost');
    await turn();
    expect(link.isClosed).toBe(true);
    expect(events.at(-1)).toMatchObject({ kind: 'lost', wasServing: true });
    expect(jobs.running()).toHaveLength(1);
  });
});

describe('output', () => {
  it('output that is complete when the job ends travels with the end', async () => {
    const { link, jobs } = served();
    link.say(requestHead(A));
    await print(jobs, A, 'all of it', 'err');
    jobs.end(A);
    await turn();
    expect(link.heard()).toMatchObject([{ op: 'final', id: A, stream: 'err' }]);
    expect(link.bodies()).toEqual(['all of it']);
  });

  it('output of several pieces travels in its order, before the end', async () => {
    const { link, jobs } = served();
    link.say(requestHead(A));
    await print(jobs, A, 'one');
    await print(jobs, A, 'two', 'err');
    jobs.end(A);
    await turn();
    const [first, second, end] = link.heard();
    expect([first, second]).toMatchObject([
      { op: 'partial', stream: 'out', offset: 0 },
      { op: 'partial', stream: 'err', offset: 3 },
    ]);
    expect(end).not.toHaveProperty('stream');
  });

  it('output larger than one message is sent as it arrives', async () => {
    const { link, jobs } = served();
    link.say(requestHead(A));
    await print(jobs, A, Buffer.alloc(maxPartialBytes + 1));
    expect(link.heard()).toMatchObject([{ offset: 0 }, { offset: maxPartialBytes }]);
  });
});

describe('credit', () => {
  it('free slots are announced once, unless the broker knows already', async () => {
    const { link, jobs } = served();
    link.say(requestHead(A));
    jobs.tellFree();
    await turn();
    expect(link.heard()).toEqual([]);
    jobs.slots = 4;
    jobs.tellFree();
    jobs.tellFree();
    await turn();
    expect(link.heard()).toEqual([{ op: 'credit', free: 3, seen: 1 }]);
  });

  it('free slots travel with the result of a request, and not a second time', async () => {
    const { link, jobs } = served();
    link.say(requestHead(A));
    jobs.end(A);
    jobs.tellFree();
    await Promise.resolve();
    expect(link.heard()).toMatchObject([{ op: 'final', free: 2, seen: 1 }]);
  });
});
