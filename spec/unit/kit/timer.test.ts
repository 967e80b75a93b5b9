import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startTimer } from '../../../src/kit/timer.ts';

const day = 86_400_000;
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it.each([1, 1000, 2 ** 31 - 1, 2 ** 31, 30 * day, 60 * day, 366 * day])(
  'a timer acts once after %i ms, not before',
  (ms) => {
    const act = vi.fn();
    startTimer(ms, act);
    vi.advanceTimersByTime(ms - 1);
    expect(act).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(act).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(100 * day);
    expect(act).toHaveBeenCalledOnce();
  },
);

it.each([10, 40 * day])('a timer never acts once cancelled after %i ms', (ms) => {
  const act = vi.fn();
  const cancel = startTimer(60 * day, act);
  vi.advanceTimersByTime(ms);
  cancel();
  vi.advanceTimersByTime(100 * day);
  expect(act).not.toHaveBeenCalled();
});
