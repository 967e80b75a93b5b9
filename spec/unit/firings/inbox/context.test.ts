import { expect, it } from 'vitest';
import type { RunningJob } from '../../../../src/domain/job.ts';
import { contextDocuments } from '../../../../src/firings/inbox/context.ts';
import { firing } from '../../../support/firings.ts';
import { jobRequest } from '../../../support/jobs.ts';

const job: RunningJob = {
  id: 7,
  request: jobRequest({ source: 'firing' }),
  command: 'true',
  firings: [],
  attempt: 2,
  folder: '/j/7',
  enqueuedAt: 0,
  state: 'running',
  startedAt: 0,
};

const contextOf = (firings: ReturnType<typeof firing>[]) => {
  const logged = firings.map((each) => ({ firing: each, receivedAt: 0, jobId: 7, refusal: null, published: null }));
  return JSON.parse(contextDocuments('lb01', { ofJob: () => logged })(job));
};

it('a job’s context tells why it runs, and the chain that it continues', () => {
  const owed = firing({ ttl: 3 });
  expect(contextOf([owed])).toMatchObject({
    format: 1,
    node: 'lb01',
    job: { id: 7, attempt: 2, source: 'firing', noop: false },
    chain: [{ firing: owed.id, node: 'lb01', trigger: owed.trigger }],
    ttl: 2,
    firings_total: 1,
    firings: [{ id: owed.id, trigger: owed.trigger }],
  });
});

it('a job’s context has no chain where no firing has led to it', () => {
  expect(contextOf([])).toMatchObject({ chain: [], ttl: null, firings: [], firings_total: 0 });
});

it('a job’s context stays small however many firings a run satisfies, and however large they are', () => {
  const many = Array.from({ length: 5000 }, () => firing());
  const { firings, firings_total } = contextOf(many);
  expect([firings.length, firings_total]).toEqual([100, 5000]);
  expect(firings.at(-1).id).toBe(many.at(-1)?.id);
  const large = Array.from({ length: 5 }, () => firing({ job: { plugin: 'x', args: { text: 'ü'.repeat(200_000) } } }));
  expect(contextOf(large).firings).toHaveLength(2);
});
