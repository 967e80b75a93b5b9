import { describe, expect, it } from 'vitest';
import { ClockSteps } from '../../../src/kit/clock-steps.ts';

describe('a clock that is set', () => {
  const started = () => {
    const at = { wall: 100_000, monotonic: 0 };
    const steps = new ClockSteps(
      () => at.wall,
      () => at.monotonic,
    );
    const pass = (ms: number) => {
      at.wall += ms;
      at.monotonic += ms;
    };
    return { at, steps, pass };
  };

  it('a clock that only continues is no step', () => {
    const { at, steps, pass } = started();
    pass(60_000);
    at.wall += 20; // slewed
    expect(steps.isComparable(100_001)).toBe(true);
    expect(steps.isComparable(at.wall + 1)).toBe(false);
  });

  it('a clock set back: earlier times cannot be compared', () => {
    const { at, steps, pass } = started();
    pass(60_000);
    at.wall -= 20_000;
    pass(10_000);
    expect(steps.isComparable(150_000)).toBe(false);
    pass(20_000);
    expect(at.wall).toBe(170_000);
    expect(steps.isComparable(170_000)).toBe(false);
    pass(10_000);
    expect(steps.isComparable(170_001)).toBe(true);
  });

  it('a clock set forward: earlier times cannot be compared', () => {
    const { at, steps, pass } = started();
    at.wall += 3_600_000;
    expect(steps.isComparable(100_500)).toBe(false);
    pass(1_000);
    expect(steps.isComparable(at.wall)).toBe(true);
  });
});
