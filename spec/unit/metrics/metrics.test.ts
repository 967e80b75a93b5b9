import { expect, it } from 'vitest';
import page from '../../../docs/reference/metrics.md?raw';
import { createMetrics, type MetricSources } from '../../../src/adapters/prometheus/metrics.ts';
import { firstFiringIdAt } from '../../../src/domain/firing.ts';
import type { FinishedJob, RunningJob } from '../../../src/domain/job.ts';
import { readExposition, seriesValue } from '../../support/exposition.ts';
import { jobRequest } from '../../support/jobs.ts';

const queue = { name: 'default', slots: 2, paused: true, draining: false, queued: 5, running: 1, deferred: 2 };
const sources = (changes: Partial<MetricSources> = {}): MetricSources => ({
  queues: () => [queue],
  oldestQueuedAt: () => 40_000,
  isEtcdUp: () => true,
  outcomesPending: () => 3,
  spool: () => ({ waiting: 4, oldestAt: 10_000 }),
  isSweeper: () => true,
  etcdSpace: async () => ({ fileBytes: 3, usedBytes: 2, quotaBytes: 4 }),
  now: () => 100_000,
  ...changes,
});
const running = (firedAt: number, startedAt: number, attempt = 1): RunningJob => ({
  id: 1,
  request: jobRequest(),
  command: 'true',
  firings: [firstFiringIdAt(firedAt)],
  folder: '/jobs/1',
  enqueuedAt: 0,
  state: 'running',
  attempt,
  startedAt,
});
const finished = (plugin: string, realS: number): FinishedJob => {
  const { state: _, ...common } = running(0, 0);
  const times = { realS, userS: 0, systemS: 0 };
  const request = jobRequest({ plugin });
  const result = { kind: 'failed', exitCode: 3 } as const;
  return { ...common, request, state: 'finished', finishedAt: 9, startedAt: 0, result, times, details: {} };
};
/** With all that it can have: those of a broker come with the section `[broker]`. */
const allMetrics = () => {
  const metrics = createMetrics('1.2.3');
  metrics.lookUp(sources());
  const broker = metrics.addBroker();
  broker.lookUp(() => ({ peers: 1, workers: 1, requests: 1, queued: 1, historyDropped: 1 }));
  broker.requestFinished('succeeded', 1);
  broker.refused('no-worker');
  return metrics;
};
const shown = async (metrics: ReturnType<typeof createMetrics>) => readExposition(await metrics.text());

it('the metrics look up their values when they are read', async () => {
  const metrics = createMetrics('1.2.3');
  let isUp: boolean | null = true;
  metrics.lookUp(sources({ isEtcdUp: () => isUp }));
  const families = await shown(metrics);
  const labels = { version: '1.2.3', node_version: process.version };
  expect(seriesValue(families, 'triggerd_build_info', labels)).toBe(1);
  const states = ['queued', 'running', 'deferred'];
  const counts = states.map((state) => seriesValue(families, 'triggerd_queue_jobs', { queue: 'default', state }));
  expect(counts).toEqual([3, 1, 2]);
  expect(seriesValue(families, 'triggerd_queue_slots', { queue: 'default' })).toBe(2);
  expect(seriesValue(families, 'triggerd_queue_paused', { queue: 'default' })).toBe(1);
  expect(seriesValue(families, 'triggerd_queue_oldest_seconds', { queue: 'default' })).toBe(60);
  expect(seriesValue(families, 'triggerd_spool_firings')).toBe(4);
  expect(seriesValue(families, 'triggerd_spool_oldest_seconds')).toBe(90);
  expect(seriesValue(families, 'triggerd_outcomes_pending')).toBe(3);
  expect(seriesValue(families, 'triggerd_sweeper_holder')).toBe(1);
  expect(seriesValue(families, 'triggerd_etcd_up')).toBe(1);
  isUp = false;
  expect(seriesValue(await shown(metrics), 'triggerd_etcd_up')).toBe(0);
  isUp = null;
  expect(seriesValue(await shown(metrics), 'triggerd_etcd_up')).toBeUndefined();
});

it('the metrics measure from the firing to the first start of its job, and nothing below zero', async () => {
  const metrics = createMetrics('1.2.3');
  const firedAt = Date.parse('2026-11-20T12:00:00Z');
  metrics.jobChanged(running(firedAt, firedAt + 1_500));
  metrics.jobChanged(running(firedAt, firedAt + 9_000, 2));
  metrics.jobChanged(running(firedAt, firedAt - 60_000));
  const families = await shown(metrics);
  expect(seriesValue(families, 'triggerd_firing_start_seconds_count')).toBe(2);
  expect(seriesValue(families, 'triggerd_firing_start_seconds_sum')).toBe(1.5);
  expect(seriesValue(families, 'triggerd_firing_start_seconds_bucket', { le: '0.01' })).toBe(1);
});

it('the metrics count jobs by result, with a bounded number of plugins as labels', async () => {
  const metrics = createMetrics('1.2.3');
  for (let index = 0; index < 110; index += 1) metrics.jobChanged(finished(`made-by-a-script-${index}`, 2));
  const families = await shown(metrics);
  const labels = { queue: 'default', plugin: 'made-by-a-script-0', result: 'failed' };
  expect(seriesValue(families, 'triggerd_jobs_total', labels)).toBe(1);
  expect(seriesValue(families, 'triggerd_jobs_total', { ...labels, plugin: 'other' })).toBe(10);
  expect(families.get('triggerd_jobs_total')?.samples).toHaveLength(101);
  expect(seriesValue(families, 'triggerd_job_duration_seconds_sum', { plugin: 'other' })).toBe(20);
});

it('the metrics in docs/reference/metrics.md are exactly those that exist', async () => {
  const metrics = allMetrics();
  const names = [...(await shown(metrics)).keys()].sort();
  const table = page.matchAll(/^\| (`[^|]+)/gm);
  const described = [...table].flatMap(([, cell = '']) => [...cell.matchAll(/`([a-z_]+)/g)].map(([, name]) => name));
  expect(described.sort()).toEqual(names);
});

it('the rules in docs/reference/metrics.md use only metrics and labels that exist', async () => {
  const metrics = allMetrics();
  metrics.jobChanged(finished('puppet', 1));
  metrics.outcomeRecorded('finished');
  const families = await shown(metrics);
  const [, rules = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  const asked = [...rules.matchAll(/\b((?:triggerd|process)_[a-z_]+)(?:\{([^}]*)\})?/g)];
  expect(asked.length).toBeGreaterThan(5);
  for (const [, name = '', labels = ''] of asked) {
    const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
    expect(family, name).toBeDefined();
    // Prometheus itself adds these two.
    const known = new Set(['job', 'instance', ...(family?.samples ?? []).flatMap(({ labels }) => Object.keys(labels))]);
    for (const [, label = ''] of labels.matchAll(/(\w+)\s*(?:=~|!=|=)/g))
      expect(known, `${name}: ${label}`).toContain(label);
  }
});
