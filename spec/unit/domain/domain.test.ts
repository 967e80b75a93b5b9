import { describe, expect, it } from 'vitest';
import { isFiringId } from '../../../src/domain/firing.ts';
import { isNodeName, isTriggerName, parseNodeName, printable } from '../../../src/domain/names.ts';
import { exitCodeOf } from '../../../src/domain/result.ts';

describe('names', () => {
  it.each(['lb01', 'lb01.example.com', 'a_b', '1.2.3.4', 'x'.repeat(63)])('%s is a node’s name', (name) => {
    expect(isNodeName(name)).toBe(true);
  });

  it.each(['', '.', '..', 'a..b', '-a', 'a-', 'a/b', 'a b', 'LB', 'x'.repeat(64), `${'a.'.repeat(127)}a`, 'ä', 'a\n'])(
    '%j is no node’s name',
    (name) => {
      expect(isNodeName(name)).toBe(false);
    },
  );

  it('a node’s name is lower case', () => {
    expect(parseNodeName('LB01.Example.com')).toBe('lb01.example.com');
  });

  it('a trigger’s name is any printable text', () => {
    expect(isTriggerName('refresh load balancers / all (ü)')).toBe(true);
    expect(isTriggerName('')).toBe(false);
    expect(isTriggerName('a\nb')).toBe(false);
    expect(isTriggerName('x'.repeat(256))).toBe(false);
  });

  it('foreign text is made printable for a message', () => {
    expect(printable('a\u001b[31mb\n')).toBe('a\\u001b[31mb\\u000a');
    expect(printable('x'.repeat(100))).toHaveLength(80);
  });

  it('a firing’s ID is a ULID', () => {
    expect(isFiringId('01K9ZQ4T5M8W3V6X7Y8Z9A0BCD')).toBe(true);
    expect(isFiringId('01K9ZQ4T5M8W3V6X7Y8Z9A0BCI')).toBe(false);
    expect(isFiringId('81K9ZQ4T5M8W3V6X7Y8Z9A0BCD')).toBe(false);
  });
});

describe('what a wait exits with', () => {
  it.each([
    [{ kind: 'succeeded', exitCode: 2 } as const, 2],
    [{ kind: 'failed', exitCode: 6 } as const, 6],
    [{ kind: 'killed', signal: 'SIGKILL' } as const, 137],
    [{ kind: 'killed', signal: 'SIGUSR1' } as const, 138],
    [{ kind: 'killed', signal: 'SIGXCPU' } as const, 152],
    [{ kind: 'killed', signal: 'SIGSYS' } as const, 159],
    [{ kind: 'timed-out' } as const, 124],
    [{ kind: 'failed-to-start', reason: 'x' } as const, 127],
    [{ kind: 'interrupted', reason: 'x' } as const, 1],
  ])('a wait for outcomes %j exits with %i', (result, code) => {
    expect(exitCodeOf(result)).toBe(code);
  });
});
