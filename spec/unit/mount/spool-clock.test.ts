import { describe, expect, it } from 'vitest';
import type { ClockMark } from '../../../src/mount/delivery-ports.ts';
import { SpoolClock } from '../../../src/mount/spool-clock.ts';

const hour = 3_600_000;
const written = Date.UTC(2026, 0, 1);

describe('the clock of a spool', () => {
  /** A machine with a wall clock that shows `wall`; each `live` is a life of its daemon. */
  const machine = (wall: number, boot = 1_000) => {
    const at = { wall, boot };
    const marks: ClockMark[] = [];
    const spool = { clockMark: () => marks.at(-1), keepClockMark: (mark: ClockMark) => void marks.push(mark) };
    const pass = (ms: number): void => {
      at.wall += ms;
      at.boot += ms;
    };
    return {
      ...{ at, marks, pass },
      live: () => new SpoolClock(spool, { now: () => at.wall, sinceBoot: () => at.boot }),
    };
  };

  it('the spool’s clock begins with the wall clock, and counts the time between two lives by it', () => {
    const { live, pass, at } = machine(written);
    const first = live();
    expect(first.now()).toBe(written);
    pass(hour);
    expect(first.now()).toBe(written + hour);
    at.wall += hour;
    at.boot = 5;
    expect(live().now()).toBe(written + 2 * hour);
  });

  it.each([-20 * hour, 20 * hour, -written / 2, 10 * 365 * 24 * hour])(
    'the spool’s clock ignores a step by %d ms',
    (step) => {
      const { live, pass, at } = machine(written);
      const clock = live();
      clock.now();
      at.wall += step;
      pass(hour);
      expect(clock.now()).toBe(written + hour);
      pass(hour);
      expect(clock.now()).toBe(written + 2 * hour);
    },
  );

  it.each([
    ['was never set', 30_000],
    ['is behind', written - hour],
  ])(
    'the spool’s clock stands still between two lives when the wall clock %s, and continues when it is set',
    (_how, wall) => {
      const { live, pass, at } = machine(written);
      live().now();
      Object.assign(at, { wall, boot: 30_000 });
      const next = live();
      expect(next.now()).toBe(written);
      at.wall = written + 100 * hour;
      pass(hour);
      expect(next.now()).toBe(written + hour);
      at.wall += hour;
      at.boot = 0;
      expect(live().now()).toBe(written + 2 * hour);
    },
  );

  it('the spool’s clock stands still between a life without a wall clock and the next one', () => {
    const { live, at } = machine(0);
    live().now();
    at.wall = written;
    expect(live().now()).toBe(0);
  });

  it('the spool’s clock is stored at first, at a step, and once a minute', () => {
    const { live, pass, marks, at } = machine(written);
    const clock = live();
    const look = (): number => {
      clock.now();
      return marks.length;
    };
    expect(look()).toBe(1);
    pass(30_000);
    expect(look()).toBe(1);
    pass(31_000);
    expect(look()).toBe(2);
    at.wall += 500;
    expect(look()).toBe(2);
    at.wall -= 2_000;
    expect(look()).toBe(3);
    expect(look()).toBe(3);
  });
});
