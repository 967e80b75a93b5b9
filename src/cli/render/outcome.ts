/** What became of a firing on a node, in words. */
import type { OutcomeView } from '../../api/contract/firings.ts';
import { endedWell, isFinal } from '../../domain/outcome.ts';
import { visible } from '../../kit/text.ts';
import { padEnd } from '../../kit/width.ts';
import type { Color } from './color.ts';
import { leftoversNote } from './leftovers.ts';
import { took } from './time.ts';

/** `lb01.example.com  finished  succeeded  exit 2  18.2 s  4 changed`. */
export const renderOutcomeLine = (outcome: OutcomeView, nodeWidth: number): string =>
  [
    padEnd(outcome.node, nodeWidth),
    outcome.stage,
    outcome.result ?? '',
    exitOf(outcome),
    outcome.duration_ms === null ? '' : took(outcome.duration_ms),
    noteOf(outcome),
  ]
    .filter((part) => part !== '')
    .map(visible)
    .join('  ');

/** `exit 2`, or the signal of a killed job. */
export const exitOf = ({ exit_code, signal }: OutcomeView): string =>
  exit_code === null ? (signal ?? '') : `exit ${exit_code}`;

/** The reason, what the plugin counted and what the run has left: `4 changed, 1 failed, left running: java`; `noop, 3 pending`. */
export const noteOf = ({ reason, details }: OutcomeView): string =>
  [reason ?? '', ...Object.values(details).flatMap((facts) => wordsOf(facts, reason)), leftoversNote(details)]
    .filter((part) => part !== '')
    .join(', ');

interface NotedFacts {
  readonly changed?: unknown;
  readonly failed?: unknown;
  readonly noop?: unknown;
  readonly pending?: unknown;
  readonly cached_catalog?: unknown;
  readonly tags?: unknown;
  readonly skip_tags?: unknown;
  readonly missing?: unknown;
}

const wordsOf = (facts: unknown, reason: string | null): string[] => {
  const { changed, failed, noop, pending, cached_catalog, tags, skip_tags, missing } = (facts ?? {}) as NotedFacts;
  const say = (value: unknown, word: string) => (typeof value === 'number' && value > 0 ? [`${value} ${word}`] : []);
  return [
    ...(noop === true ? ['noop'] : []),
    ...(cached_catalog === true ? ['cached catalog'] : []),
    ...(typeof tags === 'string' ? [`only tags ${tags}`] : []),
    ...(typeof skip_tags === 'string' ? [`without tags ${skip_tags}`] : []),
    ...say(changed, 'changed'),
    ...say(failed, 'failed'),
    ...say(pending, 'pending'),
    ...(typeof missing === 'string' && reason === null ? ['no report'] : []),
  ];
};

/** One word: the result once there is one, else the stage. */
export const wordOf = ({ stage, result }: OutcomeView): string => result ?? stage;

export const colorOf = (outcome: OutcomeView): Color | null => {
  if (!isFinal(outcome.stage)) return outcome.stage === 'deferred' ? 'yellow' : null;
  return endedWell(outcome) ? 'green' : 'red';
};

/** `2 succeeded, 1 failed, 1 owed`, ended ones first. */
export const summarize = (outcomes: readonly OutcomeView[]): string => {
  const ended = outcomes.filter(({ stage }) => isFinal(stage));
  const open = outcomes.filter(({ stage }) => !isFinal(stage));
  return summarizeWords([...ended, ...open].map(wordOf));
};

/** How often each of them is there: `2 succeeded, 1 failed`. */
export const summarizeWords = (words: readonly string[]): string => {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, number]) => `${number} ${word}`).join(', ');
};
