import { describe, expect, it } from 'vitest';
import { check, type Execution, type FaultRecord, type Promises, type Submission } from '../../support/checker.ts';
import { parseRuns } from '../../support/recorder.ts';

const submission = (id: string, changes: Partial<Submission> = {}): Submission => ({
  id,
  targets: ['n1'],
  submittedAt: 10,
  ackedAt: 11,
  ...changes,
});
const run = (id: string, line: number, changes: Partial<Execution> = {}): Execution => ({
  node: 'n1',
  job: `job-${line}`,
  attempt: 1,
  firings: [id],
  startedAt: 12 + line,
  endedAt: 13 + line,
  startLine: line,
  endLine: line + 1,
  ...changes,
});
const done = (id: string, node = 'n1') => ({ id, node, stage: 'finished', result: 'succeeded' });

/** Two firings, one run each, one after the other. */
const good: FaultRecord = {
  submissions: [submission('a'), submission('b', { submittedAt: 11 })],
  executions: [run('a', 0), run('b', 2)],
  outcomes: [done('a'), done('b')],
  owed: [],
  refusals: [{ what: 'publish', code: 'etcd-unreachable', message: 'no answer' }],
  gauges: [{ what: 'open files', before: 20, after: 21, tolerance: 2 }],
  texts: ['nothing to hide'],
};
const strict: Promises = { inOrder: true, secrets: ['hunter2'] };
const found = (changes: Partial<FaultRecord>, promises = strict) =>
  check({ ...good, ...changes }, promises).map(({ invariant }) => invariant);

describe('the checker', () => {
  it('the checker accepts a good record', () => {
    expect(check(good, strict)).toEqual([]);
  });

  const [runA, runB] = [run('a', 0), run('b', 2)];
  it.each<[string, string[], Partial<FaultRecord>]>([
    ['a firing without an outcome', ['I1'], { outcomes: [done('a')] }],
    ['an outcome that is not final', ['I1'], { outcomes: [done('a'), { ...done('b'), stage: 'running' }] }],
    ['two final outcomes', ['I1'], { outcomes: [done('a'), done('b'), done('b')] }],
    ['what is still owed', ['I1'], { owed: ['n1/a'] }],
    [
      'an unacknowledged firing that reached half of its targets',
      ['I1'],
      {
        submissions: [submission('a', { targets: ['n1', 'n2'], ackedAt: null }), submission('b', { submittedAt: 11 })],
      },
    ],
    ['an outcome of nobody’s firing', ['I2', 'I3'], { outcomes: [done('a'), done('b'), done('c')] }],
    ['a run of nobody’s firing', ['I2'], { executions: [runA, runB, run('c', 4)] }],
    ['a run on a node that was not meant', ['I2'], { executions: [runA, runB, run('a', 0, { node: 'n2' })] }],
    ['a second run', ['I3'], { executions: [runA, runB, run('b', 4)] }],
    [
      'two runs under one attempt number',
      ['I3'],
      { executions: [runA, runB, { ...run('x', 4), job: 'job-0', firings: [] }] },
    ],
    ['an end that was reported and did not happen', ['I3'], { executions: [runA] }],
    ['a run that was not complete', ['I3'], { executions: [runA, { ...runB, endLine: null, endedAt: null }] }],
    ['a run that began before the firing was there', ['I3'], { executions: [runA, { ...runB, startedAt: 9 }] }],
    [
      'two runs at once',
      ['I4'],
      {
        executions: [
          { ...runA, endLine: 3 },
          { ...runB, endLine: 4 },
        ],
      },
    ],
    ['the second before the first', ['I5'], { executions: [run('b', 0), run('a', 2)] }],
    ['a leak', ['I6'], { gauges: [{ what: 'open files', before: 20, after: 30, tolerance: 2 }] }],
    ['a refusal without a code', ['I7'], { refusals: [{ what: 'publish', code: null, message: 'boom' }] }],
    ['a refusal that is a bug', ['I7'], { refusals: [{ what: 'publish', code: 'internal', message: 'boom' }] }],
    ['a refusal without words', ['I7'], { refusals: [{ what: 'publish', code: 'queue-full', message: ' ' }] }],
    ['a secret in a log', ['I8'], { texts: ['password=hunter2'] }],
  ])('the checker catches %s', (_what, invariants, changes) => {
    expect(found(changes)).toEqual(invariants);
  });

  it('the checker lets slots overlap where there is more than one, and a killed runner’s job run again', () => {
    expect(
      found(
        {
          executions: [
            { ...runA, endLine: 3 },
            { ...runB, endLine: 4 },
          ],
        },
        { serial: () => false },
      ),
    ).toEqual([]);
    const again = { ...run('b', 4), job: 'job-2', attempt: 2 };
    expect(found({ executions: [runA, { ...runB, endLine: null }, again] }, { extraRuns: 1 })).toEqual([]);
  });

  it('the checker does not demand what a crash of the producer left open', () => {
    const submissions = [submission('a'), submission('b', { ackedAt: null })];
    expect(found({ submissions })).toEqual([]);
    expect(found({ submissions, executions: [runA], outcomes: [done('a')] })).toEqual([]);
  });

  it('the checker does not show the secret that it finds', () => {
    expect(JSON.stringify(check({ ...good, texts: ['password=hunter2;'] }, strict))).not.toContain('hunter2');
  });
});

describe('the runs’ own record', () => {
  it('the runs’ own record pairs starts with ends, by the order of lines', () => {
    const text = 'start r1 1 1 5.00\nstart r2 2 1 5.01\nend r1 1 1 5.02\n';
    expect(parseRuns('n1', text, (id) => ({ firings: [id], total: 1 }))).toMatchObject([
      { job: '1', startLine: 0, endLine: 2, endedAt: 5.02, firings: ['r1'] },
      { job: '2', startLine: 1, endLine: null },
    ]);
  });

  it('the runs’ own record may be empty, or end in the middle of a line', () => {
    const context = () => ({ firings: [], total: 0 });
    expect(parseRuns('n1', '', context)).toEqual([]);
    expect(parseRuns('n1', 'start r1 1 1 5.00\nend r', context)).toMatchObject([{ endLine: null }]);
  });

  it('the runs’ own record is refused when it is damaged', () => {
    expect(() => parseRuns('n1', 'end r1 1 1 5.02\n', () => ({ firings: [], total: 0 }))).toThrow('line 1');
  });
});
