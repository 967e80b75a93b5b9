import { expect, it } from 'vitest';
import type { ToClient } from '../../../../src/bus/messages.ts';
import { type Random, seeded } from '../../../support/random.ts';
import { brokerA, brokerB, type Connection, succeeded } from './fake-broker.ts';
import { idOf, setUpReady } from './set-up.ts';

/** A broker that says anything at any time: requests end once, the client stays usable, and what it says is well-formed. */
const anything = (random: Random): ToClient => {
  const id = idOf(random.between(1, 6));
  const worker = random.pick(['demo01', 'demo02']);
  const n = random.between(0, 8);
  const refusal = {
    code: random.pick(['token-invalid', 'draining', 'no-worker', 'broker-busy'] as const),
    message: 'no',
    retry_after_ms: null,
  };
  return random.pick<ToClient>([
    { op: 'welcome', v: 1, broker: 'x', brokers: [], heartbeat_ms: random.between(0, 3_000), max_message: 1_000 },
    { op: 'token', n, expires_ms: random.between(0, 10_000) },
    { op: 'accepted', id, algorithm: random.pick(['roundrobin', 'mirror', null] as const) },
    { op: 'dispatched', id, worker },
    { op: 'partial', id, worker, stream: 'out', offset: random.between(0, 3) },
    { op: 'leg', id, worker, ...succeeded },
    { op: 'final', id, ...succeeded },
    { op: 'answer', n },
    { op: 'refused', id, ...refusal },
    { op: 'refused', n, ...refusal },
    { op: 'refused', ...refusal },
    { op: 'heartbeat' },
    { op: 'reannounce' },
    { op: 'goodbye', brokers: [{ id: 'b', ...brokerB }] },
  ]);
};

const bytes = (random: Random): Buffer =>
  Buffer.from(Array.from({ length: random.between(0, 40) }, () => random.between(0, 256)));

const step = (random: Random, connection: Connection, pass: (ms: number) => void): void => {
  const chance = random.next();
  if (chance < 0.8) connection.say(anything(random), random.pick(['', 'x', 'jwt', '{}']));
  else if (chance < 0.9) connection.sayRaw(bytes(random));
  else if (chance < 0.93) connection.down('cut');
  else if (chance < 0.96) connection.up();
  else pass(random.between(0, 5_000));
};

it.each(Array.from({ length: 60 }, (_, seed) => seed))(
  'each request ends once, whatever brokers say (seed %i)',
  async (seed) => {
    const random = seeded(seed);
    const { client, brokers, clock, request } = setUpReady({ brokers: [brokerA, brokerB] });
    const ends: string[] = [];
    for (let number = 1; number <= 5; number++) {
      const asked = request({ discardOutput: true });
      const ended = (): void => void ends.push(asked.id);
      asked.result.then(ended, ended);
      client.ask({ verb: 'team.list' }).catch(() => undefined);
    }
    for (let steps = 0; steps < 300; steps++)
      step(random, random.pick(brokers.connections.slice(-3)), (ms) => clock.pass(ms));
    clock.pass(120_000);
    await client.close();
    expect(ends.toSorted()).toEqual([1, 2, 3, 4, 5].map(idOf));
    expect(brokers.connections.every(({ isClosed }) => isClosed)).toBe(true);
  },
);
