import { TriggerdError } from '../domain/errors.ts';
import type { Answer } from '../registry/statements.ts';
import { isKind } from './tables.ts';

/** What came over a socket → an answer of the registry. Throws `daemon-answer`. */
export const answerOf = (value: unknown): Answer => {
  const answer = value as Partial<Answer> | null;
  if (
    typeof answer !== 'object' ||
    answer === null ||
    !isKind(answer.kind) ||
    !isListOf(answer.rows, (row) => typeof row === 'object' && row !== null) ||
    !isListOf(answer.notices, (notice) => typeof notice === 'string')
  )
    throw new TriggerdError('daemon-answer', 'the answer of the registry is not valid');
  return answer as Answer;
};

const isListOf = (value: unknown, isOne: (each: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isOne);
