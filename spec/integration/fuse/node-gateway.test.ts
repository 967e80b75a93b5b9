import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { ulid } from 'ulid';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type OpenJournal, openJournal } from '../../../src/adapters/sqlite/open-journal.ts';
import { keep } from '../../../src/adapters/sqlite/statements.ts';
import { TriggerdError } from '../../../src/domain/errors.ts';
import type { Seen } from '../../../src/mount/attributes.ts';
import { type Delivery, messageOverheadBytes, type RequestSender } from '../../../src/mount/delivery-ports.ts';
import { errnoOf } from '../../../src/mount/errno.ts';
import { NodeGateway, type NodeGatewayOptions } from '../../../src/mount/node-gateway.ts';
import { definition, directory } from '../../support/mounts.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { until } from '../../support/wait.ts';

type Sent = Parameters<RequestSender['send']>[0];

let folder: string;
let journal: OpenJournal;
let now = 1_000_000;
const sent: Sent[] = [];
const shown: [number, Seen][] = [];
/** What the services say; asked at each send. */
let answer: (request: Sent) => Promise<Delivery> | Delivery;

const open = (): OpenJournal => openJournal({ file: join(folder, 'journal.db'), jobsDir: folder });
const ended = ({ id, payload }: Sent, result = 'succeeded', exitCode = 0): Delivery => ({
  kind: 'ended',
  output: {
    request: id,
    endedAt: now,
    result,
    exitCode,
    reason: null,
    worker: 'demo01',
    output: Buffer.from(`did ${payload}`),
  },
});
const away: Delivery = { kind: 'failed', error: new TriggerdError('no-worker', 'nobody there') };
const refused: Delivery = { kind: 'failed', error: new TriggerdError('service-not-found', 'no such service') };
const payloads = (): string[] => sent.map(({ payload }) => payload.toString());

const tree = {
  team: 'team1',
  directories: [directory(1, 'demo')],
  definitions: [definition(2, 1, 'one'), definition(3, 1, 'two'), definition(4, 1, 'sync', { delivery: 'sync' })],
};
const createGateway = (change: Partial<NodeGatewayOptions> = {}): NodeGateway =>
  new NodeGateway({
    spool: journal.fileMessages('team1'),
    sender: {
      send: async (request) => {
        sent.push(request);
        return answer(request);
      },
    },
    source: { current: () => tree, onChange: () => () => undefined, execute: async () => undefined },
    deadlineMs: 60_000,
    maxSpooledBytes: 10_000,
    newId: () => ulid(),
    clocks: { now: () => now, sinceBoot: () => now },
    onTree: () => undefined,
    onSeen: (seen) => shown.push(...seen),
    onOutput: () => undefined,
    log: recordingLog(),
    ...change,
  });
const text = async (gateway: NodeGateway, id: number, what: 'result' | 'status' | 'log'): Promise<string> =>
  (await gateway.content(id, what)).toString();
const status = async (gateway: NodeGateway, id: number) => JSON.parse(await text(gateway, id, 'status'));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'triggerd-spool-'));
  journal = open();
  sent.length = 0;
  shown.length = 0;
  answer = (request) => ended(request);
});
afterEach(() => {
  journal.close();
  rmSync(folder, { recursive: true });
});

it('the gateway delivers in order for each trigger, and shows the answer', async () => {
  const gateway = createGateway();
  await Promise.all([
    gateway.spool(2, [Buffer.from('a'), Buffer.from('b')], true),
    gateway.spool(3, [Buffer.from('x')], true),
  ]);
  await gateway.spool(2, [Buffer.from('c')], true);
  await until(() => sent.length === 4 && shown.length === 4, 'the deliveries');
  expect(payloads().filter((payload) => payload !== 'x')).toEqual(['a', 'b', 'c']);
  expect(await text(gateway, 2, 'result')).toBe('did c');
  expect(await text(gateway, 2, 'log')).toMatch(/^# \S+ \S+ succeeded 0\ndid a\n# .*\ndid b\n# .*\ndid c\n$/);
  expect(await status(gateway, 2)).toMatchObject({
    name: 'one',
    hits: 3,
    waiting: 0,
    dead: 0,
    last: { result: 'succeeded', exit_code: 0 },
  });
  await gateway.stop();
});

it('the gateway keeps what cannot be delivered across a restart, and resumes it under its ID', async () => {
  answer = () => away;
  const first = createGateway();
  await first.spool(2, [Buffer.from('a'), Buffer.from('b')], true);
  await until(() => sent.length > 0, 'the first attempt');
  await first.stop();
  const [before] = sent;
  journal.close();
  journal = open();
  sent.length = 0;
  answer = (request) => ended(request);
  const second = createGateway();
  second.start();
  await until(() => shown.length === 2, 'the deliveries');
  expect(sent.map(({ id, payload, resume }) => [id === before?.id, payload.toString(), resume])).toEqual([
    [true, 'a', true],
    [false, 'b', false],
  ]);
  await second.stop();
});

it('the gateway does not treat a trigger as deleted that is missing in an earlier life’s tree', async () => {
  journal.fileMessages('team1').saveTree({ ...tree, definitions: [] });
  const young = createGateway();
  answer = () => away;
  await young.spool(2, [Buffer.from('a')], true);
  await young.stop();
  answer = (request) => ended(request);
  let known: typeof tree | undefined;
  let tell = (): void => undefined;
  const source: NodeGatewayOptions['source'] = {
    current: () => known,
    onChange: (listener) => {
      tell = listener;
      return () => undefined;
    },
    execute: async () => undefined,
  };
  journal.fileMessages('team1').saveTree({ ...tree, definitions: [] });
  const next = createGateway({ source });
  next.start();
  known = tree;
  tell();
  await until(() => shown.length === 1, 'the delivery');
  expect(await status(next, 2)).toMatchObject({ waiting: 0, dead: 0 });
  await next.stop();
});

it('the gateway shows many changes of the registry together, including the last one', async () => {
  let current = tree;
  let tell = (): void => undefined;
  const seen: number[] = [];
  const gateway = createGateway({
    source: {
      current: () => current,
      onChange: (listener) => {
        tell = listener;
        return () => undefined;
      },
      execute: async () => undefined,
    },
    onTree: ({ definitions }) => seen.push(definitions.length),
  });
  for (let id = 100; id < 200; id++) {
    current = { ...current, definitions: [...current.definitions, definition(id, 1, `n${id}`)] };
    tell();
  }
  await until(() => seen.at(-1) === 103, 'the last change');
  expect(seen).toEqual([3, 4, 103]);
  await gateway.stop();
});

it('the gateway continues when the tree cannot be kept, and tells writers of a full disk that it is full', async () => {
  const full = new TriggerdError('journal-failed', 'full', { details: { sqlite: 'SQLITE_FULL' } });
  const fails = (): never => {
    throw full;
  };
  const log = recordingLog();
  const gateway = createGateway({ spool: { ...journal.fileMessages('team1'), saveTree: fails, add: fails }, log });
  const refusal: unknown = await gateway.spool(2, [Buffer.from('a')], true).catch((error: unknown) => error);
  expect(errnoOf(refusal)).toBe('ENOSPC');
  await gateway.stop();
  expect(log.lines.map(({ message }) => message)).toContainEqual(expect.stringContaining('Cannot store the tree'));
});

it('the gateway waits for a synchronous request as long as its trigger says, also for a month', async () => {
  const patient = definition(4, 1, 'sync', { delivery: 'sync', timeout_ms: 40 * 86_400_000 });
  const source = { current: () => ({ ...tree, definitions: [patient] }), onChange: () => () => undefined };
  const gateway = createGateway({ source: { ...source, execute: async () => undefined } });
  answer = (request) => new Promise((resolve) => setTimeout(() => resolve(ended(request)), 20));
  expect((await gateway.send(4, Buffer.from('x'))).toString()).toBe('did x');
  await gateway.stop();
});

it('the gateway makes a dead letter of what is refused for good or too old, and continues with the next', async () => {
  answer = (request) => (request.payload.toString() === 'bad' ? refused : ended(request));
  const gateway = createGateway();
  await gateway.spool(2, [Buffer.from('bad'), Buffer.from('good')], true);
  await until(() => shown.length === 1, 'the delivery');
  expect(await status(gateway, 2)).toMatchObject({ hits: 2, waiting: 0, dead: 1 });
  answer = () => away;
  await gateway.spool(3, [Buffer.from('late')], true);
  await until(() => payloads().includes('late'), 'the attempt');
  now += 60_001;
  await until(async () => (await status(gateway, 3)).dead === 1, 'the dead letter');
  await gateway.stop();
});

it('the gateway keeps a message whose plugin says “not now”, as a new request each time, until it is done or too late', async () => {
  const notNow = (request: Sent): Delivery => ({ ...(ended(request) as Delivery & { kind: 'ended' }), again: true });
  answer = (request) => (sent.length < 3 ? notNow(request) : ended(request));
  const gateway = createGateway();
  await gateway.spool(2, [Buffer.from('a'), Buffer.from('b')], true);
  await until(() => shown.length === 2, 'both deliveries');
  expect(payloads()).toEqual(['a', 'a', 'a', 'b']);
  expect(new Set(sent.map(({ id }) => id)).size).toBe(4);
  expect(sent.every(({ resume }) => !resume)).toBe(true);
  expect(await status(gateway, 2)).toMatchObject({ hits: 2, waiting: 0, dead: 0 });
  answer = notNow;
  await gateway.spool(3, [Buffer.from('late')], true);
  await until(() => payloads().includes('late'), 'the attempt');
  expect(await status(gateway, 3)).toMatchObject({ waiting: 1, dead: 0 });
  now += 60_001;
  await until(async () => (await status(gateway, 3)).dead === 1, 'the dead letter');
  await gateway.stop();
});

it('the gateway gives up after the trigger’s deadline, even one set meanwhile, otherwise after the node’s', async () => {
  answer = () => away;
  let definitions = [definition(2, 1, 'one', { deadline_ms: 5_000 }), definition(3, 1, 'two')];
  let tell = (): void => undefined;
  const gateway = createGateway({
    source: {
      current: () => ({ ...tree, definitions }),
      onChange: (listener) => {
        tell = listener;
        return () => undefined;
      },
      execute: async () => undefined,
    },
  });
  await Promise.all([2, 3].map((id) => gateway.spool(id, [Buffer.from('x')], true)));
  now += 5_000;
  await until(async () => (await status(gateway, 2)).dead === 1, 'the first dead letter');
  expect(await status(gateway, 2)).toMatchObject({ waiting: 0, dead_reason: 'it was not delivered within 5s' });
  expect(await status(gateway, 3)).toMatchObject({ waiting: 1, dead: 0 });
  definitions = [definition(2, 1, 'one'), definition(3, 1, 'two', { deadline_ms: 1_000 })];
  tell();
  await until(async () => (await status(gateway, 3)).dead === 1, 'the second one');
  await gateway.stop();
});

it('the gateway gives up after the time that has passed, whatever the wall clock was set to', async () => {
  answer = () => away;
  const day = 86_400_000;
  const clocks = { wall: Date.UTC(2026, 0, 1), boot: 5_000 };
  const options = { deadlineMs: day, clocks: { now: () => clocks.wall, sinceBoot: () => clocks.boot } };
  const pass = (ms: number): void => {
    clocks.wall += ms;
    clocks.boot += ms;
  };
  const first = createGateway(options);
  await first.spool(2, [Buffer.from('x')], true);
  pass(day / 4);
  await until(() => sent.length >= 2, 'another attempt');
  await first.stop();
  // It was off, and has no clock of its own.
  Object.assign(clocks, { wall: 10_000, boot: 10_000 });
  const attempts = sent.length;
  const second = createGateway(options);
  second.start();
  await until(() => sent.length > attempts, 'the first attempt of the next life');
  clocks.wall = Date.UTC(2036, 0, 1);
  await second.spool(3, [Buffer.from('y')], true);
  pass(day / 2);
  await until(() => sent.length > attempts + 3, 'attempts after that');
  expect([(await status(second, 2)).waiting, (await status(second, 3)).waiting]).toEqual([1, 1]);
  clocks.wall = Date.UTC(2026, 0, 3);
  pass(day / 4);
  await until(async () => (await status(second, 2)).dead === 1, 'the dead letter');
  expect(await status(second, 3)).toMatchObject({ waiting: 1, dead: 0 });
  await second.stop();
});

it('the gateway knows how long a message has waited in an earlier version’s journal, which stored deadlines', async () => {
  journal.close();
  rmSync(join(folder, 'journal.db'));
  const old = keep(new Database(join(folder, 'journal.db')));
  old.exec(readFileSync(join(import.meta.dirname, '../../fixtures/journal/version-4.sql'), 'utf8'));
  old.close();
  journal = open();
  const spool = journal.fileMessages('team1');
  expect(spool.head(2)).toMatchObject({ seq: 1, payload: Buffer.from('waits'), since: 1_767_323_045_000 });
  expect(spool.counts().get(2)).toMatchObject({ waiting: 1, dead: 1, reason: 'the service is gone' });
  expect(spool.clockMark()).toEqual({ own: 1_767_323_046_000, wall: 1_767_323_046_000 });
});

it('the gateway retries dead letters on request, in their old order and under new IDs, or deletes them', async () => {
  answer = () => refused;
  const gateway = createGateway();
  await gateway.spool(2, [Buffer.from('a'), Buffer.from('b')], true);
  await gateway.spool(3, [Buffer.from('x')], true);
  await until(() => sent.length === 3, 'the attempts');
  await until(async () => (await status(gateway, 2)).dead === 2 && (await status(gateway, 3)).dead === 1, 'their end');
  const before = sent.splice(0).map(({ id }) => id);
  answer = (request) => ended(request);
  const spool = journal.fileMessages('team1');
  expect(gateway.revive(2)).toBe(2);
  await until(() => shown.length === 2, 'the deliveries');
  expect(payloads()).toEqual(['a', 'b']);
  for (const { id, resume } of sent) expect([before.includes(id), resume]).toEqual([false, false]);
  expect([spool.purge(2), spool.purge(undefined), spool.bytes('waiting')]).toEqual([0, 1, 0]);
  expect(await status(gateway, 3)).toMatchObject({ hits: 1, waiting: 0, dead: 0 });
  await gateway.stop();
});

it('the gateway takes no more messages than may wait, and takes again when some are gone', async () => {
  let isAway = true;
  answer = (request) => (isAway ? away : ended(request));
  const gateway = createGateway({ maxSpooledBytes: 10 + messageOverheadBytes });
  await gateway.spool(2, [Buffer.from('12345678')], true);
  await expect(gateway.spool(2, [Buffer.from('901')], true)).rejects.toThrow('ENOSPC');
  isAway = false;
  await until(() => shown.length === 1, 'the delivery');
  await gateway.spool(2, [Buffer.from('901')], true);
  await gateway.stop();
});

it('the gateway deletes the oldest dead letters when new messages need their space, and says so', async () => {
  const log = recordingLog();
  const each = 100 + messageOverheadBytes;
  const options = { maxSpooledBytes: 20 * each, log };
  const message = (n: number): Buffer => Buffer.alloc(100, String.fromCharCode(n));
  answer = () => refused;
  const first = createGateway(options);
  for (const id of [2, 3])
    await first.spool(
      id,
      Array.from({ length: 10 }, (_, n) => message(n)),
      true,
    );
  const spool = journal.fileMessages('team1');
  await until(() => spool.bytes('dead') === 20 * each, 'the dead letters');
  await first.stop();
  // One that begins with dead letters knows of them, too.
  answer = () => away;
  const second = createGateway(options);
  await second.spool(3, [message(99)], true);
  expect([spool.bytes('waiting'), spool.bytes('dead')]).toEqual([each, 17 * each]);
  expect([...spool.counts()].map(([id, { dead }]) => [id, dead])).toEqual([
    [2, 7],
    [3, 10],
  ]);
  expect(log.lines).toContainEqual(
    expect.objectContaining({
      message: expect.stringMatching(/^Deleted the oldest dead letters/),
      fields: { count: 3 },
    }),
  );
  await second.spool(
    3,
    Array.from({ length: 19 }, () => message(99)),
    true,
  );
  expect([spool.bytes('waiting'), spool.bytes('dead')]).toEqual([20 * each, 0]);
  await expect(second.spool(2, [message(0)], true)).rejects.toThrow('ENOSPC');
  await second.stop();
});

it('the gateway has no output for an unknown trigger', async () => {
  answer = ({ id }) => ({
    kind: 'ended',
    output: {
      request: id,
      endedAt: now,
      result: 'succeeded',
      exitCode: 0,
      reason: null,
      worker: null,
      output: Buffer.concat([]),
    },
  });
  const gateway = createGateway();
  await gateway.spool(2, [Buffer.from('a'), Buffer.from('b')], true);
  await until(() => shown.length === 2, 'the deliveries');
  expect(await text(gateway, 2, 'log')).toMatch(/^(?:# \S+ \S+ succeeded 0\n){2}$/);
  await gateway.stop();
});

it('the gateway never repeats what a lost worker may have run: a synchronous writer gets an error, otherwise it is a dead letter', async () => {
  answer = () => ({ kind: 'failed', error: new TriggerdError('worker-lost', 'demo01 was lost') });
  const gateway = createGateway();
  const refusal: unknown = await gateway.send(4, Buffer.from('x')).catch((error: unknown) => error);
  expect(errnoOf(refusal)).toBe('EIO');
  await gateway.spool(2, [Buffer.from('x')], true);
  await until(async () => (await status(gateway, 2)).dead === 1, 'the dead letter');
  expect([(await status(gateway, 2)).dead_reason, sent.length]).toEqual(['demo01 was lost', 2]);
  await gateway.stop();
});

it('the gateway tells a synchronous writer how the request ended', async () => {
  const gateway = createGateway();
  expect((await gateway.send(4, Buffer.from('x'))).toString()).toBe('did x');
  answer = (request) => ended(request, 'failed', 3);
  await expect(gateway.send(4, Buffer.from('y'))).rejects.toThrow('EIO: sync: failed (3)');
  answer = () => away;
  await expect(gateway.send(4, Buffer.from('z'))).rejects.toThrow('nobody there');
  expect(await status(gateway, 4)).toMatchObject({ hits: 3, last: { result: 'failed', exit_code: 3 } });
  await gateway.stop();
});

it('the gateway answers synchronous writers first and journals their results in one commit, before anybody reads them', async () => {
  const spool = journal.fileMessages('team1');
  const commits: number[] = [];
  const record: typeof spool.record = (ended) => {
    commits.push(ended.length);
    spool.record(ended);
  };
  const gateway = createGateway({ spool: { ...spool, record } });
  await Promise.all(['x', 'y'].map((payload) => gateway.send(4, Buffer.from(payload))));
  expect(commits).toEqual([]);
  expect(await text(gateway, 4, 'result')).toBe('did y');
  expect(commits).toEqual([2]);
  await gateway.send(4, Buffer.from('z'));
  await until(() => commits.length === 2, 'the commit that nobody asks for');
  expect(await status(gateway, 4)).toMatchObject({ hits: 3 });
  await gateway.stop();
});

it('the gateway tells a synchronous writer of success even where the journal fails afterwards, and logs that', async () => {
  const record = (): never => {
    throw new TriggerdError('journal-failed', 'full');
  };
  const log = recordingLog();
  const gateway = createGateway({ spool: { ...journal.fileMessages('team1'), record }, log });
  expect((await gateway.send(4, Buffer.from('x'))).toString()).toBe('did x');
  await gateway.stop();
  expect(log.lines).toContainEqual(
    expect.objectContaining({
      message: expect.stringMatching(/^Cannot store the results of synchronous writes/),
      fields: expect.objectContaining({ count: 1 }),
    }),
  );
});

it('the gateway keeps the last twenty outputs, only the newest of them whole', async () => {
  answer = ({ id }) => ({
    kind: 'ended',
    output: {
      request: id,
      endedAt: now,
      result: 'succeeded',
      exitCode: 0,
      reason: null,
      worker: null,
      output: Buffer.alloc(10_000, 'x'),
    },
  });
  const gateway = createGateway();
  for (let i = 0; i < 25; i++) await gateway.send(4, Buffer.from('x'));
  await gateway.stop();
  const sizes = journal
    .fileMessages('team1')
    .outputs(4)
    .map(({ output }) => output.length);
  expect(sizes).toEqual([10_000, ...Array.from({ length: 19 }, () => 4_096)]);
  expect([...gateway.seen()]).toEqual([[4, { size: 10_000, hitAt: now }]]);
});
