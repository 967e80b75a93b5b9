import { expect, it } from 'vitest';
import { advertisedBroker } from '../../../src/config/brokers.ts';
import { parse } from './parse.ts';

it.each([
  ['tcp://0.0.0.0:0', 'tcp://0.0.0.0:43211', 'tcp://lb01:43211'],
  ['tcp://[::]:0', 'tcp://[::]:43211', 'tcp://lb01:43211'],
  ['tcp://*:5555', 'tcp://0.0.0.0:5555', 'tcp://lb01:5555'],
])('a broker configured to listen at %s, and that listens at %s, is published as %s', (listen, listening, told) => {
  const { broker } = parse(`[broker]\nlisten = "${listen}"`).config;
  if (broker === undefined) throw new Error('no broker');
  expect(advertisedBroker(broker, 'lb01', listening)).toBe(told);
  expect(advertisedBroker({ ...broker, advertise: 'tcp://a:1' }, 'lb01', listening)).toBe('tcp://a:1');
});
