import { describe, expect, it } from 'vitest';
import { encodeToClient } from '../../../src/bus/codec/encode.ts';
import { eachMessage, pack } from '../../../src/bus/codec/pack.ts';
import { maxHeaderBytes } from '../../../src/bus/codec/parse.ts';
import { decodeToClient } from '../../../src/bus/codec/to-client.ts';
import { decodeToWorker } from '../../../src/bus/codec/to-worker.ts';
import type { ClientMessage, ToClient, ToWorker, WorkerMessage } from '../../../src/bus/messages.ts';
import { type ErrorCode, errorCatalogue } from '../../../src/domain/errors.ts';
import firstCodes from '../../fixtures/codes-of-first-release.json?raw';
import { decodeFromClient, decodeFromWorker } from '../../support/codec.ts';

const id = '01K9ZQ4T5M8W3V6X7Y8Z9A0BCD';
const brokers = [{ id: 'b1', endpoint: 'tcp://b1:5555', key: 'x'.repeat(40) }];
const outcome = {
  result: 'failed',
  exit_code: 3,
  signal: 'SIGTERM',
  reason: 'exit code 3',
  code: null,
  ran_ms: 12,
  output_bytes: 100,
} as const;
const request = { id, service: 'team1/demo', plugin: 'echo', args: { path: '/tmp' }, timeout_ms: null } as const;
const chain = { chain: ['a'], ttl: 7 } as const;
const refusal = { code: 'broker-busy', message: 'so many', retry_after_ms: 1_000 } as const;
const welcome = { op: 'welcome', v: 1, broker: 'b1', brokers, heartbeat_ms: 2_500, max_message: 1_048_576 } as const;

const fromClient: readonly ClientMessage[] = [
  { op: 'hello', v: 1 },
  { op: 'login', n: 1, team: 'team1', identity: 'hp@example.com' },
  { op: 'request', jwt: 'a.b.c', ...request, resume: true, worker: 'demo01', ...chain },
  { op: 'cancel', jwt: 'a.b.c', id },
  { op: 'ack', id, worker: 'demo01', bytes: 5 },
  { op: 'registry', jwt: 'a.b.c', n: 2, statement: { verb: 'team.list' } },
  { op: 'registry', jwt: 'a.b.c', n: 2, statement: { verb: 'directory.list', team: 'ops' }, seen: '4711' },
  { op: 'heartbeat' },
  { op: 'disconnect' },
];
const fromWorker: readonly WorkerMessage[] = [
  { op: 'ready', v: 1, team: 't', identity: 'w', instance: 'i', node: 'n', version: '1', free: 4 },
  { op: 'announce', services: ['a', 'b'] },
  { op: 'heartbeat', free: 1, seen: 3 },
  { op: 'credit', free: 0, seen: 0 },
  { op: 'partial', id, stream: 'err', offset: 7 },
  { op: 'final', id, job: null, free: 1, seen: 9, ...outcome },
  { op: 'final', id, job: null, free: 1, seen: 9, stream: 'err', ...outcome },
  { op: 'returned', id, free: 0 },
  { op: 'known', id, known: false },
  { op: 'leaving' },
  { op: 'disconnect' },
];
const toClient: readonly ToClient[] = [
  welcome,
  { op: 'token', n: 1, expires_ms: 900_000 },
  { op: 'accepted', id, algorithm: null },
  { op: 'accepted', id, algorithm: 'mirror', workers: 22 },
  { op: 'dispatched', id, worker: 'w' },
  { op: 'dispatched', id, worker: 'w', algorithm: 'mirror' },
  { op: 'dispatched', id, worker: 'w', algorithm: 'serial', workers: 3 },
  { op: 'partial', id, worker: 'w', stream: 'out', offset: 0 },
  { op: 'leg', id, worker: 'w', ...outcome },
  { op: 'final', id, ...outcome },
  { op: 'final', id, algorithm: null, worker: 'w', stream: 'out', ...outcome },
  { op: 'answer', n: 3 },
  { op: 'refused', id, ...refusal },
  { op: 'refused', n: 3, ...refusal },
  { op: 'refused', ...refusal },
  { op: 'heartbeat' },
  { op: 'reannounce' },
  { op: 'brokers', brokers },
  { op: 'goodbye', brokers },
];
const toWorker: readonly ToWorker[] = [
  { ...welcome, services: ['a'] },
  { op: 'services', services: [] },
  { op: 'brokers', brokers },
  { op: 'request', user: 'u', team: 't', ...request, ...chain },
  { op: 'cancel', id, reason: 'cancelled by u@t' },
  { op: 'ack', id, bytes: 9 },
  { op: 'query', id, user: 'u', team: 't' },
  { op: 'heartbeat' },
  { op: 'reannounce' },
  { op: 'refused', ...refusal },
  { op: 'goodbye', brokers },
];

/** What a message may lack. */
const optional: Readonly<Record<string, readonly string[]>> = {
  refused: ['id', 'n'],
  registry: ['seen'],
  accepted: ['workers'],
  dispatched: ['algorithm', 'workers'],
  final: ['algorithm', 'worker', 'stream'],
};

const frame = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

describe.each([
  ['client → broker', decodeFromClient, fromClient],
  ['worker → broker', decodeFromWorker, fromWorker],
  ['broker → client', decodeToClient, toClient],
  ['broker → worker', decodeToWorker, toWorker],
] as const)('%s', (_, decode, messages) => {
  it.each(messages.map((message) => [message.op, message] as const))(
    'the message %s arrives as it was sent',
    (_op, message) => {
      expect(decode(frame(message))).toEqual(message);
    },
  );

  it.each(messages.map((message) => [message.op, message] as const))(
    'the message %s may lose its optional fields, and is refused without a required one',
    (_op, message) => {
      expect(decode(frame({ ...message, extra: { deep: [] }, constructor: 1 }))).toEqual(message);
      for (const field of Object.keys(message)) {
        if (field === 'op' || optional[message.op]?.includes(field)) continue;
        const { [field]: _gone, ...rest } = message as Record<string, unknown>;
        if (field !== 'statement') expect(decode(frame(rest)), field).toMatch(/missing or of the wrong kind/);
      }
    },
  );

  it.each(messages.map((message) => [message.op, message] as const))(
    'the message %s takes no field of a wrong kind',
    (_op, message) => {
      for (const [field, value] of Object.entries(message)) {
        if (field === 'op' || field === 'statement') continue;
        const wrong = [
          typeof value === 'string' ? 5 : 'text',
          Array.isArray(value) ? {} : [],
          true === value ? 0 : { a: [] },
        ];
        for (const other of wrong) {
          if (field === 'args' && typeof other === 'object' && !Array.isArray(other)) continue;
          expect(decode(frame({ ...message, [field]: other })), `${field}: ${JSON.stringify(other)}`).toBeTypeOf(
            'string',
          );
        }
      }
    },
  );

  it.each(messages.filter((message) => 'exit_code' in message).map((message) => [message.op, message] as const))(
    'the message %s has an exit code that a process can have',
    (_op, message) => {
      for (const [code, arrives] of [
        [255, true],
        [256, false],
        [-1, false],
        [0.5, false],
      ] as const)
        expect(typeof decode(frame({ ...message, exit_code: code })) !== 'string', String(code)).toBe(arrives);
    },
  );

  it.each([
    ['nothing', ''],
    ['no JSON', '{"op":"heartbeat"'],
    ['a list', '["heartbeat"]'],
    ['null', 'null'],
    ['a number too large', '{"op":"heartbeat","free":1e400,"v":1e400}'],
    ['an op of another kind', '{"op":["heartbeat"]}'],
    ['no op', '{"id":1}'],
    ['what objects inherit', '{"op":"constructor"}'],
    ['what objects inherit from', '{"op":"__proto__"}'],
    ['what they can do', '{"op":"hasOwnProperty"}'],
    ['an op in capitals', '{"op":"HEARTBEAT"}'],
    ['an op with an escape', '{"op":"\\u001b[2J"}'],
  ])('the codec refuses %s', (what, text) => {
    const decoded = decode(frame(text));
    // A client's sign of life has no fields: a number too many is passed over.
    if (what === 'a number too large' && typeof decoded !== 'string') expect(decoded).toEqual({ op: 'heartbeat' });
    else expect(decoded).toBeTypeOf('string');
    expect(String(decoded)).not.toContain('\u001b');
  });

  it('the codec refuses bytes that are not UTF-8, too long, or nested without end', () => {
    expect(decode(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toBeTypeOf('string');
    expect(decode(Buffer.alloc(maxHeaderBytes + 1, ' '))).toContain(`${maxHeaderBytes} are allowed`);
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    for (const { op } of messages) expect(decode(frame(`{"op":"${op}","x":${deep}}`))).toBeDefined();
  });
});

describe('a refusal', () => {
  it.each(Object.keys(errorCatalogue) as ErrorCode[])(
    'the refusal %s is told to clients of the first release, too',
    (code) => {
      const frame = encodeToClient({ op: 'refused', n: 1, code, message: 'no', retry_after_ms: 1_000 });
      expect(codesOfFirstRelease).toContain(JSON.parse(frame).code);
      expect(decodeToClient(Buffer.from(frame))).toEqual({ ...refusal, op: 'refused', n: 1, code, message: 'no' });
    },
  );

  it('a refusal with an unknown precise code has the general one', () => {
    const frame = JSON.stringify({ op: 'refused', n: 1, ...refusal, precise: 'of-a-later-release' });
    expect(decodeToClient(Buffer.from(frame))).toEqual({ op: 'refused', n: 1, ...refusal });
  });
});

/** A client that meets another one takes the refusal for no message, and waits: see `nearestOfFirstRelease`. */
const codesOfFirstRelease: readonly string[] = JSON.parse(firstCodes);

describe('a request', () => {
  const [, , whole] = fromClient;
  const withField = (field: string, value: unknown) => decodeFromClient(frame({ ...whole, [field]: value }));

  it.each([
    ['id', 'not-a-ulid'],
    ['id', '01K9ZQ4T5M8W3V6X7Y8Z9A0BC/'],
    ['service', ''],
    ['service', 'a\nb'],
    ['service', 'x'.repeat(256)],
    ['plugin', 'a\0b'],
    ['args', { a: 1 }],
    ['args', Object.fromEntries(Array.from({ length: 257 }, (_, index) => [`a${index}`, '']))],
    ['timeout_ms', -1],
    ['timeout_ms', 1.5],
    ['chain', Array.from({ length: 65 }, () => 'a')],
    ['chain', ['']],
    ['ttl', 'many'],
    ['jwt', 'x'.repeat(4_097)],
  ])('a request with %s = %j is malformed', (field, value) => {
    expect(withField(field, value)).toBeTypeOf('string');
  });

  it('a request cannot smuggle a prototype in', () => {
    const smuggled = decodeFromClient(frame(JSON.stringify(whole).replace('"path"', '"__proto__"')));
    expect(smuggled).toBeTypeOf('string');
    expect(({} as Record<string, unknown>)['/tmp']).toBeUndefined();
  });

  it('a statement on the bus may nest to the limit and no deeper, and its `seen` is a revision', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });
    const registry = (depth: number) => ({ op: 'registry', jwt: 'j', n: 1, statement: nested(depth) });
    expect(decodeFromClient(frame(registry(6)))).toMatchObject({ op: 'registry' });
    expect(decodeFromClient(frame(registry(7)))).toBeTypeOf('string');
    for (const seen of [7, null, ['1'], '1'.repeat(21)])
      expect(decodeFromClient(frame({ ...registry(1), seen })), String(seen)).toBeTypeOf('string');
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(decodeFromClient(frame(`{"op":"registry","jwt":"j","n":1,"statement":${deep}}`))).toBeTypeOf('string');
  });
});

describe('a frame', () => {
  const message = (head: string, body = '') => ({ head, body: Buffer.from(body) });
  const taken = (frames: readonly Buffer[], first = 0): { messages: string[][]; complaints: string[] } => {
    const found = { messages: [] as string[][], complaints: [] as string[] };
    eachMessage(
      frames,
      first,
      (head, body) => void found.messages.push([head.toString(), body.toString()]),
      (why) => void found.complaints.push(why),
    );
    return found;
  };
  const frameOf = (count: number) =>
    pack(Array.from({ length: count }, (_, index) => message(`h${index}ü`, 'b'.repeat(index))));

  it('a frame holds messages of any length, in order', () => {
    const { messages, complaints } = taken([Buffer.from('id'), frameOf(64)], 1);
    expect(complaints).toEqual([]);
    expect(messages).toEqual(Array.from({ length: 64 }, (_, index) => [`h${index}ü`, 'b'.repeat(index)]));
  });

  it('a frame that is cut off anywhere yields its whole messages and one complaint', () => {
    const frame = frameOf(3);
    const ends = [0, 12, 25, frame.length];
    for (let length = 0; length < frame.length; length++) {
      const { messages, complaints } = taken([frame.subarray(0, length)]);
      expect(messages.length, `${length} bytes`).toBe(
        Math.max(
          0,
          ends.findLastIndex((end) => end <= length),
        ),
      );
      expect(complaints.length).toBe(ends.includes(length) && length > 0 ? 0 : 1);
    }
  });

  it.each([
    ['lengths beyond its end', Buffer.from('ffffffffffffffff7b7d', 'hex'), 0],
    ['more messages than allowed', frameOf(65), 64],
    ['nothing but messages of no length', Buffer.alloc(8 * 100_000), 64],
  ])('a frame with %s is not followed', (_, frame, count) => {
    const { messages, complaints } = taken([frame]);
    expect([messages.length, complaints.length]).toEqual([count, 1]);
  });

  it.each([0, 2, 3, 1_000])('a message has exactly one frame: %i are refused', (count) => {
    const frames = Array.from({ length: count + 1 }, () => frameOf(1));
    expect(taken(frames, 1)).toEqual({ messages: [], complaints: [`${count} frames instead of one`] });
  });
});
