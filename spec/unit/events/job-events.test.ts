import { expect, it } from 'vitest';
import type { Job } from '../../../src/domain/job.ts';
import { JobEvents } from '../../../src/events/job-events.ts';
import { jobRequest } from '../../support/jobs.ts';

const common = {
  id: 7,
  request: jobRequest({ plugin: 'puppet', source: 'firing', label: 'nightly' }),
  command: 'puppet agent --test',
  firings: ['F1', 'F2', 'F3'],
  folder: '/jobs/7',
  enqueuedAt: 1_000,
};
const queued: Job = { ...common, attempt: 0, state: 'queued', deferral: null };
const deferral = { reason: 'agent lock held', paths: [], since: 2_000 };
const deferred: Job = { ...queued, deferral };
const running: Job = { ...common, attempt: 1, state: 'running', startedAt: 3_000 };
const finished: Job = {
  ...common,
  attempt: 1,
  state: 'finished',
  startedAt: 3_000,
  finishedAt: 5_500,
  result: { kind: 'failed', exitCode: 6 },
  times: { realS: 2.5, userS: 1, systemS: 1 },
  details: {},
};
const skipped: Job = { ...common, attempt: 0, state: 'skipped', finishedAt: 4_000, reason: 'removed' };
const events = (begun: number[] = []) => new JobEvents(begun, (id) => (id === 'F3' ? undefined : 'refresh'));

it('a job’s events say what happened to the job, when, and for which triggers', () => {
  const of = events();
  expect(of.of(queued, 9_000)).toEqual({
    at: 1_000,
    kind: 'job.queued',
    stage: 'queued',
    job: 7,
    queue: 'default',
    plugin: 'puppet',
    source: 'firing',
    label: 'nightly',
    command: 'puppet agent --test',
    firings: ['F1', 'F2', 'F3'],
    firings_total: 3,
    triggers: ['refresh'],
  });
  expect(of.of(deferred, 9_000)).toMatchObject({ at: 2_000, kind: 'job.deferred', reason: 'agent lock held' });
  expect(of.of(queued, 9_000)).toMatchObject({ at: 9_000, kind: 'job.requeued' });
  expect(of.of(running, 9_000)).toMatchObject({ at: 3_000, kind: 'job.started', stage: 'running', attempt: 1 });
  const end = { at: 5_500, kind: 'job.finished', result: 'failed', exit_code: 6, duration_ms: 2_500, reason: null };
  expect(of.of(finished, 9_000)).toMatchObject(end);
  expect(events().of(skipped, 9_000)).toMatchObject({ at: 4_000, kind: 'job.skipped', reason: 'removed' });
});

it('a job’s events after a restart recognize old jobs, and forget those that ended', () => {
  const of = events([7]);
  expect(of.of(queued, 9_000).kind).toBe('job.requeued');
  of.of(finished, 9_000);
  expect(of.of(queued, 9_000).kind).toBe('job.queued');
});

it('a job’s events stay small whatever the job is', () => {
  const firings = Array.from({ length: 1_000 }, (_, index) => `F${index}`);
  const event = events().of({ ...queued, firings, command: 'x'.repeat(5_000) }, 9_000);
  expect(event).toMatchObject({ firings_total: 1_000, firings: firings.slice(0, 10) });
  expect(event.command).toHaveLength(200);
});
