import { describe, expect, it } from 'vitest';
import { answerOf } from '../../../src/console/answer.ts';

describe('an answer of the registry', () => {
  it('an answer of the registry is accepted as it is', () => {
    const answer = { kind: 'worker', rows: [{ id: 1 }], notices: ['a'] };
    expect(answerOf(answer)).toBe(answer);
  });

  it.each([
    null,
    [],
    'worker',
    {},
    { kind: 'constructor', rows: [], notices: [] },
    { kind: 'worker', rows: {}, notices: [] },
    { kind: 'worker', rows: [null], notices: [] },
    { kind: 'worker', rows: [1], notices: [] },
    { kind: 'worker', rows: [], notices: [{}] },
    { kind: 'worker', rows: [] },
  ])('an answer that is not the registry’s is refused: %j', (value) => {
    expect(() => answerOf(value)).toThrow(expect.objectContaining({ code: 'daemon-answer' }));
  });
});
