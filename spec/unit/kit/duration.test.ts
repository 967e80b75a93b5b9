import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/kit/duration.ts';

describe('durations', () => {
  it.each([
    ['10s', 10_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['2d', 172_800_000],
    ['0s', 0],
    ['1.5s', 1500],
  ])('the duration %s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
    expect(parseDuration(formatDuration(ms))).toBe(ms);
  });

  it.each(['', '10', 's', '10 s', '-1s', '1h30', 'soon', '1s\n'])('%j is no duration', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});
