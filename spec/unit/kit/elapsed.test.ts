import { describe, expect, it } from 'vitest';
import { formatElapsed } from '../../../src/kit/elapsed.ts';

describe('an elapsed time', () => {
  it.each([
    [0n, '0s'],
    [7n, '7ns'],
    [1_500n, '1.5µs'],
    [545_092_072n, '545.092072ms'],
    [177_439_620n, '177.43962ms'],
    [47_000_000n, '47ms'],
    [1_234_567_890n, '1.23456789s'],
    [59_999_999_999n, '59.999999999s'],
    [60_000_000_000n, '1m0s'],
    [3_723_004_000_000n, '1h2m3.004s'],
  ])('an elapsed time of %s ns is %s', (ns, text) => {
    expect(formatElapsed(ns)).toBe(text);
  });
});
