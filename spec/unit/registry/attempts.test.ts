import { beforeEach, describe, expect, it } from 'vitest';
import { Attempts } from '../../../src/registry/attempts.ts';

describe('failed logins of an identity', () => {
  let now = 1_000_000;
  let attempts: Attempts;
  beforeEach(() => {
    attempts = new Attempts({ now: () => now });
  });
  const fail = (identity: string, times: number) => {
    for (let count = 0; count < times; count++) attempts.failed(identity);
  };
  const waits = (identity: string): boolean => {
    try {
      attempts.assertMayTry(identity);
      return false;
    } catch {
      return true;
    }
  };

  it('failed logins of an identity are reported once: when it begins to wait', () => {
    expect([1, 2, 3, 4, 5].map(() => attempts.failed('hp'))).toEqual([false, false, true, false, false]);
  });

  it('failed logins stay counted beyond the range of one byte', () => {
    fail('hp', 1_000);
    now += 299_000;
    expect(waits('hp')).toBe(true);
    now += 2_000;
    expect(waits('hp')).toBe(false);
  });

  it('failed logins are forgotten after a success', () => {
    fail('hp', 3);
    attempts.succeeded('hp');
    expect(waits('hp')).toBe(false);
    fail('hp', 2);
    expect(waits('hp')).toBe(false);
  });

  it('failed logins may share a counter by chance: then the success of one identity does not reset the other', () => {
    attempts = new Attempts({ now: () => now }, 64);
    fail('hp', 9);
    // So many names are at every place; each fails, which makes the place shared, and each then succeeds.
    for (let number = 0; number < 2_000; number++) attempts.succeeded(`n${number}`);
    expect(waits('hp')).toBe(true);
    for (let number = 0; number < 2_000; number++) {
      attempts.failed(`n${number}`);
      attempts.succeeded(`n${number}`);
    }
    expect(waits('hp')).toBe(true);
  });

  it('failed logins may share a counter by chance: then both identities wait', () => {
    attempts = new Attempts({ now: () => now }, 64);
    fail('hp', 9);
    const together = Array.from({ length: 2_000 }, (_each, number) => waits(`n${number}`)).filter(Boolean);
    expect(together.length).toBeGreaterThan(0);
    expect(together.length).toBeLessThan(200);
  });

  it('failed logins are counted where nobody can foresee', () => {
    const places = new Set<string>();
    for (let process = 0; process < 3; process++) {
      const other = new Attempts({ now: () => now }, 64);
      for (let count = 0; count < 9; count++) other.failed('hp');
      const together = Array.from({ length: 1_000 }, (_each, number) => `n${number}`).filter((name) => {
        try {
          other.assertMayTry(name);
          return false;
        } catch {
          return true;
        }
      });
      places.add(together.join());
    }
    expect(places.size).toBe(3);
  });
});
