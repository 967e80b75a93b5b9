import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ToWorker } from '../../../src/bus/messages.ts';
import {
  brokerAddress,
  greet,
  newest,
  requestHead,
  requestId,
  startFakeWorker,
  welcome,
} from '../../support/bus-worker.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const A = requestId('A');
const B = requestId('B');

const opsOf = (messages: readonly { readonly op: string }[]): string[] => messages.map(({ op }) => op);

/** A worker that the broker `one` has welcomed; what was said until then is read. */
const served = (options: Parameters<typeof startFakeWorker>[0] = {}, services: readonly string[] = []) => {
  const worker = startFakeWorker(options);
  const link = newest(worker);
  greet(link, 'one', { services });
  link.heard();
  return { ...worker, link };
};

describe('a worker at a broker', () => {
  it('a worker proves its identity, and announces it with its attachments', () => {
    const { links, events } = startFakeWorker();
    const link = newest({ links });
    link.up();
    expect(link.heard()).toEqual([
      { op: 'ready', v: 1, team: 'team1', identity: 'demo01', instance: 'i1', node: 'web01', version: '1', free: 2 },
    ]);
    expect(link.bodies()).toEqual(['secret']);

    link.say(welcome('one', { services: ['demoservice'] }));
    expect(link.heard()).toEqual([
      { op: 'announce', services: ['demo01', 'demoservice'] },
      { op: 'heartbeat', free: 2, seen: 0 },
    ]);
    expect(events.map(({ kind }) => kind)).toEqual(['connecting', 'connected', 'announcing']);
  });

  it('a worker announces its attachments again when the registry changes, and names the new ones', () => {
    const { link, events } = served({}, ['demoservice']);
    link.say({ op: 'services', services: ['demoservice', 'other'] });
    link.say({ op: 'services', services: [] });
    expect(link.heard()).toEqual([
      { op: 'announce', services: ['demo01', 'demoservice', 'other'] },
      { op: 'announce', services: ['demo01'] },
    ]);
    expect(events.filter(({ kind }) => kind === 'announcing')).toMatchObject([
      { service: 'demoservice' },
      { service: 'other' },
    ]);
  });

  it('a worker sends heartbeats with its free slots', () => {
    const { link, jobs } = served();
    link.say({ op: 'heartbeat' });
    jobs.slots = 1;
    vi.advanceTimersByTime(1_000);
    expect(link.heard()).toEqual([{ op: 'heartbeat', free: 1, seen: 0 }]);
  });

  it('a worker treats a broker that is silent for four heartbeats as lost, and connects again over another link', () => {
    const { links, link, events } = served();
    vi.advanceTimersByTime(4_000);
    expect(link.isClosed).toBe(false);
    vi.advanceTimersByTime(1_000);
    expect(link.isClosed).toBe(true);
    expect(events.at(-1)).toMatchObject({ kind: 'lost', wasServing: true, reason: 'it has given no sign of life' });
    vi.advanceTimersByTime(500);
    expect(links).toHaveLength(2);
  });

  it('a worker proves its identity again when the socket reconnects, and forgets earlier questions', () => {
    const { links, link, jobs } = served();
    link.say(requestHead(A));
    link.down('connection reset');
    expect(jobs.listeners(A)).toEqual([]);
    link.up();
    expect(opsOf(link.heard())).toEqual(['ready']);
    expect(links).toHaveLength(1);
  });

  it('a worker does not treat a broker as silent when it was frozen itself', () => {
    const { link } = served();
    // As after SIGSTOP: the clock has gone on and no timer has run.
    vi.setSystemTime(Date.now() + 60_000);
    const frozen = performance.now() + 60_000;
    const now = vi.spyOn(performance, 'now').mockImplementation(() => frozen);
    vi.advanceTimersByTime(1_000);
    now.mockRestore();
    expect(link.isClosed).toBe(false);
    link.say({ op: 'reannounce' });
    expect(opsOf(link.heard())).toEqual(['heartbeat', 'ready']);
  });

  it('a worker tries again after pauses that double, up to 32 s, while a broker does not answer', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { links, events } = startFakeWorker();
    const pauses = Array.from({ length: 9 }, () => {
      const tries = links.length;
      newest({ links }).up();
      vi.advanceTimersByTime(10_000);
      expect(events.at(-1)).toMatchObject({ kind: 'lost', wasServing: false, reason: 'it does not answer' });
      let ms = 0;
      for (; links.length === tries && ms < 100_000; ms += 500) vi.advanceTimersByTime(500);
      return ms;
    });
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 32_000, 32_000]);
    expect(links.slice(0, -1).every(({ isClosed }) => isClosed)).toBe(true);

    // Welcome once, and the next pause is short.
    greet(newest({ links }), 'one');
    vi.advanceTimersByTime(5_000);
    const tries = links.length;
    vi.advanceTimersByTime(500);
    expect(links).toHaveLength(tries + 1);
  });

  it('a worker says why it was refused, and tries again slowly or when it is told to', () => {
    const { links, events } = startFakeWorker();
    newest({ links }).up();
    newest({ links }).say({ op: 'refused', code: 'worker-refused', message: 'wrong token', retry_after_ms: null });
    expect(events.at(-1)).toMatchObject({ kind: 'refused', retryMs: 32_000, refusal: { message: 'wrong token' } });
    vi.advanceTimersByTime(31_999);
    expect(links).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(links).toHaveLength(2);
    newest({ links }).say({ op: 'refused', code: 'too-many-attempts', message: 'wait', retry_after_ms: 3_000 });
    vi.advanceTimersByTime(3_000);
    expect(links).toHaveLength(3);
  });

  it('a worker proves its identity again at a broker that has forgotten it, and forgets earlier questions', () => {
    const { link, jobs } = served();
    link.say(requestHead(A));
    link.say({ op: 'reannounce' });
    expect(opsOf(link.heard())).toEqual(['ready']);
    expect(jobs.listeners(A)).toEqual([]);
    link.say(welcome('one'));
    expect(opsOf(link.heard())).toEqual(['announce', 'heartbeat']);
  });

  it('a worker ignores what is no message', () => {
    const { link } = served();
    for (const frame of ['', '{', '[]', '{"op":"constructor"}', '{"op":"request"}', '{"op":"ack","id":"../x"}'])
      link.sayRaw(Buffer.from(frame));
    link.say({ op: 'services', services: [] });
    expect(opsOf(link.heard())).toEqual(['announce']);
  });

  it.each<ToWorker>([
    { op: 'heartbeat' },
    { op: 'services', services: ['x'] },
    requestHead(A),
    { op: 'query', id: A, user: 'hp', team: 'team1' },
    { op: 'brokers', brokers: [brokerAddress('two')] },
  ])('a worker does nothing on $op before it is welcome', (message) => {
    const { links, jobs } = startFakeWorker();
    newest({ links }).up();
    newest({ links }).heard();
    newest({ links }).say(message);
    expect(newest({ links }).heard()).toEqual([]);
    expect(links).toHaveLength(1);
    expect(jobs.started).toEqual([]);
  });
});

describe('a worker that leaves', () => {
  it('a worker that leaves finishes what runs, returns new requests, and says when it has ended', async () => {
    const { worker, link, jobs } = served();
    link.say(requestHead(A));
    const left = worker.leave();
    link.say(requestHead(B));
    expect(link.heard()).toEqual([
      { op: 'leaving' },
      { op: 'heartbeat', free: 0, seen: 1 },
      { op: 'returned', id: B, free: 0 },
    ]);
    jobs.end(A);
    expect(opsOf(link.heard())).toEqual(['final', 'disconnect']);
    expect(link.isClosed).toBe(true);
    await left;
  });

  it('a worker that leaves sends heartbeats while something runs', () => {
    const { worker, link } = served();
    link.say(requestHead(A));
    void worker.leave();
    link.heard();
    vi.advanceTimersByTime(2_000);
    expect(opsOf(link.heard())).toEqual(['heartbeat', 'heartbeat']);
  });

  it('a worker that leaves ends immediately where nothing runs, or where no broker has welcomed it', async () => {
    const { worker, links, link } = served({ brokers: [brokerAddress('two'), brokerAddress('one')] });
    await worker.leave();
    expect(links.map(({ isClosed }) => isClosed)).toEqual([true, true]);
    expect(opsOf(link.heard())).toEqual(['leaving', 'heartbeat', 'disconnect']);
  });

  it('a worker that leaves does not wait for a broker that has said goodbye', async () => {
    const { worker, link } = served();
    link.say(requestHead(A));
    const left = worker.leave();
    link.say({ op: 'refused', code: 'worker-refused', message: 'revoked', retry_after_ms: null });
    await left;
    expect(link.isClosed).toBe(true);
  });

  it('a worker that leaves does not wait for a broker that has disconnected', async () => {
    const { worker, link } = served();
    link.say(requestHead(A));
    const left = worker.leave();
    link.down('connection reset');
    await left;
  });
});

describe('a broker that stops', () => {
  it('a broker that stops still gets the end of what runs, and is tried again afterwards', () => {
    const { links, link, jobs, events } = served();
    link.say(requestHead(A));
    link.say({ op: 'goodbye', brokers: [brokerAddress('two')] });
    expect(events.at(-2)).toMatchObject({ kind: 'goodbye' });
    expect(newest({ links }).endpoint).toBe('tcp://two:5555');
    expect(link.isClosed).toBe(false);
    link.heard();
    jobs.end(A);
    expect(opsOf(link.heard())).toEqual(['final']);
    expect(link.isClosed).toBe(true);
    vi.advanceTimersByTime(500);
    expect(newest({ links }).endpoint).toBe('tcp://one:5555');
  });
});
