import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type FiringId, timeOfFiringId } from '../../domain/firing.ts';
import type { Job } from '../../domain/job.ts';
import type { Stage } from '../../domain/outcome.ts';
import type { QueueSummary } from '../../queue/verbs/look.ts';
import type { EtcdSpace } from '../../store/space.ts';
import { addProcessMetrics, gaugesOf } from './add-gauge.ts';
import { type BrokerMetrics, createBrokerMetrics } from './broker-metrics.ts';

/** What is looked up when somebody asks. */
export interface MetricSources {
  queues(): readonly QueueSummary[];
  /** ms since the epoch; null when nothing is queued there. */
  oldestQueuedAt(queue: string): number | null;
  /** Null where this node does not watch. */
  isEtcdUp(): boolean | null;
  /** Outcomes that etcd does not have yet. */
  outcomesPending(): number;
  spool(): { readonly waiting: number; readonly oldestAt: number | null };
  isSweeper(): boolean;
  /** Undefined where this node does not look, or etcd does not say. Never rejects. */
  etcdSpace(): Promise<EtcdSpace | undefined>;
  now(): number;
}

export interface DaemonMetrics {
  readonly contentType: string;
  /** The exposition in Prometheus' text format. */
  text(): Promise<string>;
  /** Adds what is looked up with every `text`; once. */
  lookUp(sources: MetricSources): void;
  /** To be told of every change of a job. */
  jobChanged(job: Job): void;
  /** To be told of every outcome that etcd has taken. */
  outcomeRecorded(stage: Stage): void;
  /** Adds those of a broker; once. */
  addBroker(): BrokerMetrics;
}

/** Plugins are files on this node, so there are few; this is for the one who makes them by a script. */
const maxPlugins = 100;
const startBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200];
const durationBuckets = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
const stages: readonly Stage[] = ['queued', 'running', 'deferred', 'finished', 'skipped'];

/** The metrics of one daemon: `docs/reference/metrics.md`. Counters begin with the daemon; no label comes from the wire. */
export const createMetrics = (version: string): DaemonMetrics => {
  const registry = new Registry();
  const registers = [registry];
  addBuildInfo(registry, version);
  addProcessMetrics(registry);
  const jobs = new Counter({
    name: 'triggerd_jobs_total',
    help: 'Jobs that ended, by result. A skipped job has the result skipped.',
    labelNames: ['queue', 'plugin', 'result'],
    registers,
  });
  const firings = new Counter({
    name: 'triggerd_firings_total',
    help: 'Stages of firings on this node that etcd has recorded.',
    labelNames: ['stage'],
    registers,
  });
  for (const stage of stages) firings.inc({ stage }, 0);
  const starts = new Histogram({
    name: 'triggerd_firing_start_seconds',
    help: 'Time in seconds from the firing (by its publisher’s clock) to the first start of its job.',
    buckets: startBuckets,
    registers,
  });
  const durations = new Histogram({
    name: 'triggerd_job_duration_seconds',
    help: 'Run time of jobs in seconds.',
    labelNames: ['plugin'],
    buckets: durationBuckets,
    registers,
  });
  const pluginLabel = createBoundedLabel(maxPlugins);
  const waited = (firing: FiringId, startedAt: number): number =>
    Math.max(0, startedAt - timeOfFiringId(firing)) / 1000;
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    lookUp: (sources) => addGauges(registry, sources),
    jobChanged: (job) => {
      if (job.state === 'queued') return;
      if (job.state === 'running') {
        if (job.attempt === 1) for (const firing of job.firings) starts.observe(waited(firing, job.startedAt));
        return;
      }
      const plugin = pluginLabel(job.request.plugin);
      const result = job.state === 'skipped' ? 'skipped' : job.result.kind;
      jobs.inc({ queue: job.request.queue, plugin, result });
      if (job.state === 'finished' && job.startedAt !== null) durations.observe({ plugin }, job.times.realS);
    },
    outcomeRecorded: (stage) => firings.inc({ stage }),
    addBroker: () => createBrokerMetrics(registry),
  };
};

const addBuildInfo = (registry: Registry, version: string): void => {
  const build = new Gauge({
    name: 'triggerd_build_info',
    help: 'Versions of triggerd and Node.js as labels. The value is always 1.',
    labelNames: ['version', 'node_version'],
    registers: [registry],
  });
  build.set({ version, node_version: process.version }, 1);
};

const addGauges = (registry: Registry, sources: MetricSources): void => {
  const gauge = gaugesOf(registry);
  addQueueGauges(registry, sources);
  gauge('triggerd_etcd_up', '1 while the inbox is watched, 0 while etcd is away.', () => {
    const isUp = sources.isEtcdUp();
    return isUp === null ? null : Number(isUp);
  });
  gauge('triggerd_outcomes_pending', 'Outcomes that etcd does not have yet.', () => sources.outcomesPending());
  gauge(
    'triggerd_spool_firings',
    'Firings in the spool of this node, which etcd does not have yet.',
    () => sources.spool().waiting,
  );
  gauge(
    'triggerd_spool_oldest_seconds',
    'Age in seconds of the oldest firing in the spool. 0 if the spool is empty.',
    () => ageOf(sources.spool().oldestAt, sources.now()),
  );
  gauge('triggerd_sweeper_holder', '1 on the node that is the sweeper, otherwise 0.', () =>
    Number(sources.isSweeper()),
  );
  addSpaceGauges(registry, sources);
};

/** One look at etcd is enough for all of them: the first is asked first. */
const addSpaceGauges = (registry: Registry, sources: MetricSources): void => {
  const registers = [registry];
  const file = new Gauge({
    name: 'triggerd_etcd_file_bytes',
    help: 'Size of etcd’s database file in bytes, which etcd compares with its quota. Only on brokers and on the sweeper.',
    registers,
    async collect() {
      const space = await sources.etcdSpace();
      const gauges = [file, used, quota] as const;
      if (space === undefined) for (const gauge of gauges) gauge.remove();
      else {
        this.set(space.fileBytes);
        used.set(space.usedBytes);
        quota.set(space.quotaBytes);
      }
    },
  });
  const used = new Gauge({
    name: 'triggerd_etcd_used_bytes',
    help: 'Bytes in use in etcd’s database file. Only on brokers and on the sweeper.',
    registers,
  });
  const quota = new Gauge({
    name: 'triggerd_etcd_quota_bytes',
    help: 'Maximum size of etcd’s database file in bytes, beyond which etcd refuses writes. Only on brokers and on the sweeper.',
    registers,
  });
};

/** One look at the queues is enough for all of them: the first is asked first. */
const addQueueGauges = (registry: Registry, sources: MetricSources): void => {
  const registers = [registry];
  const labelNames = ['queue'] as const;
  new Gauge({
    name: 'triggerd_queue_jobs',
    help: 'Jobs in a queue, by state. A deferred job counts as deferred and not as queued.',
    labelNames: ['queue', 'state'],
    registers,
    collect() {
      for (const gauge of [this, slots, paused, oldest]) gauge.reset();
      for (const { name: queue, ...facts } of sources.queues()) {
        this.set({ queue, state: 'queued' }, facts.queued - facts.deferred);
        this.set({ queue, state: 'running' }, facts.running);
        this.set({ queue, state: 'deferred' }, facts.deferred);
        slots.set({ queue }, facts.slots);
        paused.set({ queue }, Number(facts.paused));
        oldest.set({ queue }, ageOf(sources.oldestQueuedAt(queue), sources.now()));
      }
    },
  });
  const slots = new Gauge({
    name: 'triggerd_queue_slots',
    help: 'Number of jobs of a queue that may run at the same time.',
    labelNames,
    registers,
  });
  const paused = new Gauge({
    name: 'triggerd_queue_paused',
    help: '1 while a queue is paused and starts no job, otherwise 0.',
    labelNames,
    registers,
  });
  const oldest = new Gauge({
    name: 'triggerd_queue_oldest_seconds',
    help: 'Age in seconds of the oldest queued job, including deferred jobs. 0 if no job is queued.',
    labelNames,
    registers,
  });
};

const ageOf = (at: number | null, now: number): number => (at === null ? 0 : Math.max(0, now - at) / 1000);

/** Values beyond so many different ones are `other`. */
const createBoundedLabel = (limit: number): ((value: string) => string) => {
  const known = new Set<string>();
  return (value) => {
    if (known.size < limit) known.add(value);
    return known.has(value) ? value : 'other';
  };
};
