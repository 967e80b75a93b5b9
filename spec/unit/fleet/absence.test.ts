import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Absence } from '../../../src/fleet/names/sightings.ts';

describe('the absence of a name’s holder', () => {
  let absence: Absence;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
    absence = new Absence(20_000, 600_000);
  });
  afterEach(() => vi.useRealTimers());

  /** Looks every five seconds. */
  const see = (holder: bigint | undefined, forMs: number): void => {
    for (let ms = 0; ms <= forMs; ms += 5_000) {
      if (ms > 0) vi.advanceTimersByTime(5_000);
      absence.see(holder);
    }
  };

  it('the absence of a name’s holder counts as long after ten minutes of checks', () => {
    see(1n, 600_000);
    expect(absence.isLong).toBe(false);
    see(1n, 5_000);
    expect(absence.isLong).toBe(true);
  });

  it.each([
    ['the holder came back', () => absence.see(undefined)],
    ['another one had the name', () => absence.see(2n)],
    ['nobody could look for longer than a lease', () => vi.advanceTimersByTime(25_000)],
  ])('the absence of a name’s holder counts from the start where %s', (_, happens) => {
    see(1n, 595_000);
    happens();
    see(1n, 590_000);
    expect(absence.isLong).toBe(false);
    see(1n, 15_000);
    expect(absence.isLong).toBe(true);
  });

  it('no absence is counted where nobody holds the name', () => {
    see(undefined, 900_000);
    expect(absence.isLong).toBe(false);
  });
});
