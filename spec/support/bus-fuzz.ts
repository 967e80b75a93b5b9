/** Frames that nobody should send, by the million: what valid messages become when something is changed in them. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BrokerStage, settled } from './broker-stage.ts';
import { everything, requestFor, succeeded } from './peers.ts';
import type { Random } from './random.ts';

const strangers = ['s1', 's2', 's3'];
const clients = ['c1', 'c2', 'c3', 'c4'];
const workers = ['w1', 'w2', 'w3'];

const someRequest = requestFor('demo');

/** Every message that somebody may send, with ids of this stage where it takes some. */
const templates = (ids: readonly string[], random: Random): object[] => {
  const id = random.pick(ids);
  const worker = random.pick(workers);
  const jwt = random.pick(['jwt:user1@team1', 'jwt:user2@team1', 'no token', '']);
  const free = random.between(0, 4);
  const seen = random.pick([0, 1, everything]);
  return [
    { op: 'hello', v: random.pick([1, 1, 1, 2]) },
    { op: 'login', n: 1, team: 'team1', identity: 'user1' },
    {
      ...someRequest,
      service: random.pick(['demo', 'row', 'all', 'w1', 'again', 'team2/x', '']),
      id,
      jwt,
      resume: random.next() < 0.3,
      worker: random.pick([null, worker]),
      timeout_ms: random.pick([null, 0, 1, 60_000]),
    },
    { op: 'cancel', jwt, id },
    { op: 'ack', id, worker, bytes: random.between(0, 2_000_000) },
    { op: 'registry', jwt, n: 2, statement: { verb: 'team.list' } },
    { op: 'heartbeat', free, seen },
    { op: 'disconnect' },
    {
      op: 'ready',
      v: 1,
      team: 'team1',
      identity: random.pick([...workers, '../x', 'w\0', 'x'.repeat(255)]),
      instance: random.pick(['a', 'b']),
      node: 'n',
      version: '1',
      free,
    },
    { op: 'announce', services: random.pick([['demo', 'row', 'all', 'again', ...workers], ['other'], []]) },
    { op: 'credit', free, seen },
    { op: 'partial', id, stream: random.pick(['out', 'err']), offset: random.pick([0, 0, 1, 65_536]) },
    succeeded(id, { free, seen, result: random.pick(['succeeded', 'failed', 'lost', 'refused']) }),
    { op: 'returned', id, free },
    { op: 'known', id, known: random.next() < 0.5 },
    { op: 'leaving' },
  ];
};

const nasty: readonly unknown[] = [
  null,
  -1,
  1.5,
  1e308,
  '',
  'x'.repeat(300),
  '\u0000',
  '\ud800',
  '__proto__',
  'constructor',
  [],
  {},
  [[[[]]]],
  { __proto__: null, toString: 1 },
  true,
  Number.MAX_SAFE_INTEGER,
];

const mutate = (template: object, random: Random): Buffer => {
  const fields: Record<string, unknown> = { ...template };
  const names = Object.keys(fields);
  switch (random.between(0, 10)) {
    case 0:
      delete fields[random.pick(names)];
      break;
    case 1:
    case 2:
      fields[random.pick(names)] = random.pick(nasty);
      break;
    case 3:
      fields[random.pick(['extra', 'hasOwnProperty', 'id', 'op'])] = random.pick(nasty);
      break;
    default:
  }
  return garble(JSON.stringify(fields), random);
};

/** Changes of the text and of its bytes. */
const garble = (text: string, random: Random): Buffer => {
  const bytes = Buffer.from(text);
  switch (random.between(0, 24)) {
    case 0:
      return bytes.subarray(0, random.between(0, bytes.length + 1));
    case 1:
      for (let flips = random.between(1, 8); flips > 0; flips--)
        bytes[random.between(0, bytes.length)] = random.between(0, 256);
      return bytes;
    case 2:
      return Buffer.from(text.replace('{', `{"op":"hello","op":${'['.repeat(random.between(1, 2_000))}`));
    case 3:
      return Buffer.from(text.replace(/:\d+/, ':1e400'));
    case 4:
      return Buffer.from(Array.from({ length: random.between(0, 64) }, () => random.between(0, 256)));
    case 5:
      return Buffer.from(`{"__proto__":${text},"op":"heartbeat","free":1,"seen":0}`);
    default:
      return bytes;
  }
};

export interface FuzzResult {
  readonly cases: number;
  readonly understood: number;
  readonly malformed: number;
  /** The most that one message has cost of the processor: a busy machine is not its fault. ms. */
  readonly slowestMs: number;
  /** Bytes of the heap after a tenth of the cases, and at the end. */
  readonly heap: readonly [early: number, late: number];
  /** What the broker still knows of when all have been silent for long enough. */
  readonly left: object;
}

/** So many messages from strangers, clients and workers, in any order, with time passing in between. */
export const fuzzBroker = async (cases: number, random: Random): Promise<FuzzResult> => {
  const stage = new BrokerStage({ maxRequests: 200, maxQueued: 100 });
  stage.registry
    .service('team1', 'demo', workers)
    .service('team1', 'again', workers, { retry: 'always' })
    .service('team1', 'row', workers, { algorithm: 'serial' })
    .service('team1', 'all', workers, { algorithm: 'mirror' });
  for (const worker of workers) stage.registry.worker('team1', worker);
  const ids = Array.from({ length: 300 }, () => requestFor('demo').id);
  let slowestMs = 0;
  let early = 0;
  for (let count = 0; count < cases; count++) {
    const peer = random.pick(random.next() < 0.1 ? strangers : random.next() < 0.5 ? clients : workers);
    const template = random.pick(templates(ids, random));
    const head = mutate(template, random);
    const body = Buffer.alloc(random.pick([0, 5, 5, 100, 65_536, 70_000]));
    const begun = process.cpuUsage();
    stage.broker.receive(peer, head, body);
    const { user, system } = process.cpuUsage(begun);
    slowestMs = Math.max(slowestMs, (user + system) / 1_000);
    if (count % 50 === 0) await meanwhile(stage, random);
    if (count === Math.floor(cases / 10)) early = heapUsed();
  }
  await meanwhile(stage, random);
  const { malformed } = stage;
  const late = heapUsed();
  stage.pass(400_000);
  return { cases, understood: cases - malformed, malformed, slowestMs, heap: [early, late], left: stage.broker.state };
};

/** Time, the loss of connections, changes of the registry; and what the test itself would pile up is thrown away. */
const meanwhile = async (stage: BrokerStage, random: Random): Promise<void> => {
  if (random.next() < 0.1)
    stage.broker.gone(random.pick([...clients, ...workers]), random.pick(['disconnected', 'too-slow']));
  if (random.next() < 0.02) stage.registry.changed();
  stage.pass(random.pick([0, 100, 100, 3_000]));
  for (const peer of clients) if (random.next() < 0.2) stage.client(peer);
  for (const worker of workers) if (random.next() < 0.2) await stage.worker(worker, { free: 4 });
  await settled();
  stage.clear();
  stage.records.length = 0;
  stage.forgotten.length = 0;
  stage.log.lines.length = 0;
  stage.malformed += stage.observer.lines.splice(0).filter((line) => line === 'malformed').length;
};

const heapUsed = (): number => {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
};
