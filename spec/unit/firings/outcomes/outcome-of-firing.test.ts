import { describe, expect, it } from 'vitest';
import { TriggerdError } from '../../../../src/domain/errors.ts';
import type { FinishedJob, Job } from '../../../../src/domain/job.ts';
import { outcomeOfFiring } from '../../../../src/firings/outcomes/outcome-of-firing.ts';
import { parseOutcome, serializeOutcome } from '../../../../src/firings/wire/outcome.ts';
import type { LoggedFiring } from '../../../../src/queue/ports/journal.ts';
import { queuedJob, someFiring, someRequest } from '../../../support/watch-room.ts';

const receivedAt = Date.parse('2026-11-20T12:00:00.000Z');
const logged = (changes: Partial<LoggedFiring> = {}): LoggedFiring => ({
  firing: someFiring(),
  receivedAt,
  jobId: 7,
  refusal: null,
  published: null,
  ...changes,
});
const finished = (changes: Partial<FinishedJob> = {}): FinishedJob => {
  const { state: _, deferral: __, ...common } = queuedJob(7, someRequest, []);
  return {
    ...common,
    state: 'finished',
    attempt: 1,
    startedAt: 1,
    finishedAt: 2,
    result: { kind: 'failed', exitCode: 4 },
    times: { realS: 0.0015, userS: 0, systemS: 0 },
    details: {},
    ...changes,
  };
};
const outcomeWith = (job: Job, tail: string | Buffer | null = null, changes: Partial<LoggedFiring> = {}) =>
  outcomeOfFiring(logged(changes), {
    node: 'lb01',
    getJob: () => job,
    readTail: async () => (tail === null ? null : Buffer.from(tail)),
  });

describe('what a node says about a firing', () => {
  it('the outcome of a firing is its job’s end, with the tail of the output', async () => {
    expect(await outcomeWith(finished(), 'the end\n')).toMatchObject({
      stage: 'finished',
      result: 'failed',
      exitCode: 4,
      durationMs: 2,
      outputTail: 'the end\n',
    });
  });

  it('the outcome of a firing is the refusal where no job exists', async () => {
    const outcome = await outcomeWith(finished(), null, { jobId: null, refusal: 'expired' });
    expect(outcome).toMatchObject({ stage: 'skipped', reason: 'expired', finishedAt: receivedAt, jobId: null });
  });

  it('the outcome of a firing is a skip with its reason when the job’s history has been cleared', async () => {
    const getJob = () => {
      throw new TriggerdError('job-not-found', 'no job 7');
    };
    const outcome = await outcomeOfFiring(logged({ published: 'finished/1' }), {
      node: 'lb01',
      getJob,
      readTail: async () => null,
    });
    expect(outcome).toMatchObject({ stage: 'skipped', reason: expect.stringContaining('finished/1') });
  });

  it('the outcome of a firing has the bytes of an output that is not UTF-8, and no such key otherwise', async () => {
    const outcome = await outcomeWith(finished(), Buffer.from('caf\xe9', 'latin1'));
    expect(outcome).toMatchObject({ outputTail: 'caf\ufffd', outputTailBase64: 'Y2Fm6Q==' });
    expect(parseOutcome('key', serializeOutcome(outcome))).toEqual(outcome);
    expect(JSON.parse(serializeOutcome(outcome))).toMatchObject({
      output_tail: 'caf\ufffd',
      output_tail_base64: 'Y2Fm6Q==',
    });
    expect(serializeOutcome(await outcomeWith(finished(), 'café'))).not.toContain('base64');
  });

  it('the outcome of a firing reports a publisher’s clock that is ahead, and no other clock', async () => {
    const createdAt = (at: string) => ({ firing: someFiring({ createdAt: at }) });
    const skews = ['2026-11-20T12:01:00.000Z', '2026-11-20T12:00:29.000Z', '2020-01-01T00:00:00.000Z'].map((at) =>
      outcomeWith(finished(), null, createdAt(at)).then(({ clockSkewMs }) => clockSkewMs),
    );
    expect(await Promise.all(skews)).toEqual([60_000, null, null]);
  });

  it('the outcome of a firing omits its details when they are too large for a status', async () => {
    expect((await outcomeWith(finished({ details: { log: 'x'.repeat(300_000) } }))).details).toEqual({});
  });
});
