import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { exitCodeOfSignal, signalNumber } from '../../../src/kit/signals.ts';

describe('the number of a signal', () => {
  const known = execFileSync('kill', ['-l'], { shell: '/bin/bash', encoding: 'utf8' });
  // Real-time signals have no names in Node.
  const signals = [...known.matchAll(/(\d+)\) (SIG(?!RT)\w+)/g)].map(
    ([, number, name]) => [name, Number(number)] as const,
  );

  it('the number of a signal is the shell’s, for every signal that has a name', () => {
    expect(signals.length).toBeGreaterThanOrEqual(31);
    for (const [name = '', number] of signals) {
      expect.soft(signalNumber(name), name).toBe(number);
      expect.soft(exitCodeOfSignal(name), name).toBe(128 + number);
    }
  });

  it.each(['', 'SIGNOSUCH', 'constructor', '__proto__'])(
    'the signal %j has no number, and its exit code is 128',
    (name) => {
      expect(signalNumber(name)).toBeUndefined();
      expect(exitCodeOfSignal(name)).toBe(128);
    },
  );
});
