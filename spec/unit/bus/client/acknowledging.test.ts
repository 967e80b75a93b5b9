import { describe, expect, it } from 'vitest';
import type { ClientMessage } from '../../../../src/bus/messages.ts';
import { brokerA, brokerB, type FakeBrokers, succeeded } from './fake-broker.ts';
import { idOf, setUpReady } from './set-up.ts';

const id = idOf(1);
const piece = 'x'.repeat(65_536);

const say = (brokers: FakeBrokers, pieces: number, from = 0): void => {
  for (let n = from; n < from + pieces; n++)
    brokers.last.say({ op: 'partial', id, worker: 'demo01', stream: 'out', offset: n * piece.length }, piece);
};

const acks = (brokers: FakeBrokers): number[] =>
  brokers.all('ack').map((ack: Extract<ClientMessage, { op: 'ack' }>) => ack.bytes / piece.length);

describe('output', () => {
  it('output is acknowledged as it is read, in quarters of the window, and not before', async () => {
    const { brokers, request } = setUpReady();
    const reader = request().output[Symbol.asyncIterator]();
    say(brokers, 16);
    expect(acks(brokers)).toEqual([]);
    for (let n = 0; n < 5; n++) await reader.next();
    expect(acks(brokers)).toEqual([4]);
    for (let n = 0; n < 4; n++) await reader.next();
    expect(acks(brokers)).toEqual([4, 8]);
  });

  it('output that nobody reads is acknowledged as it arrives', () => {
    const { brokers, request } = setUpReady();
    request({ discardOutput: true });
    say(brokers, 8);
    expect(acks(brokers)).toEqual([4, 8]);
  });

  it('output is acknowledged for a reader who has stopped, too', async () => {
    const { brokers, request } = setUpReady();
    const asked = request();
    say(brokers, 8);
    for await (const { worker } of asked.output) {
      expect(worker).toBe('demo01');
      break;
    }
    expect(acks(brokers)).toEqual([4, 8]);
    say(brokers, 4, 8);
    expect(acks(brokers)).toEqual([4, 8, 12]);
  });

  it('output is acknowledged to a new broker only as far as that one has sent it', async () => {
    const { brokers, request } = setUpReady({ brokers: [brokerA, brokerB] });
    const asked = request({ discardOutput: true });
    say(brokers, 12);
    brokers.last.down('gone');
    brokers.welcome();
    say(brokers, 4);
    expect(acks(brokers)).toEqual([4]);
    say(brokers, 12, 4);
    expect(acks(brokers)).toEqual([4, 8, 12, 16]);
    brokers.last.say({ op: 'final', id, ...succeeded });
    await asked.result;
  });

  it('output can be read once', async () => {
    const { request } = setUpReady();
    const asked = request();
    void asked.output[Symbol.asyncIterator]().next();
    await expect(asked.output[Symbol.asyncIterator]().next()).rejects.toThrow('read only once');
  });
});
