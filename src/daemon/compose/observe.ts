import type { MetricSources } from '../../adapters/prometheus/metrics.ts';
import type { FiringEvents } from '../../events/firing-events.ts';
import { JobEvents } from '../../events/job-events.ts';
import type { InboxWatcher } from '../../firings/inbox/inbox-watcher.ts';
import type { OutcomePublisher } from '../../firings/outcomes/outcome-publisher.ts';
import type { SpoolDrain } from '../../firings/publish/spool-drain.ts';
import type { Sweeper } from '../../firings/sweep/sweeper.ts';
import type { Queues } from '../../queue/queues.ts';
import { clock } from '../clock.ts';
import { localMetricSources } from './local.ts';
import type { Runtime } from './runtime.ts';

/** How old a size of etcd the metrics may show. */
const spaceAgeMs = 15_000;

/** From now on every change of a job is an event, and counted. Before the queues start. */
export const observeJobs = (
  { journal, queues, events, metrics }: Pick<Runtime, 'journal' | 'queues' | 'events' | 'metrics'>,
  triggerOf: FiringEvents['triggerOf'],
): void => {
  const begun = [...journal.journal.running(), ...journal.journal.deferred()].map(({ id }) => id);
  const jobEvents = new JobEvents(begun, triggerOf);
  queues.onChange((job) => {
    metrics.jobChanged(job);
    events.tell(jobEvents.of(job, clock.now()));
  });
  // There may be thousands of these in a second: they are counted, and no event each.
  queues.onRecorded((job) => metrics.jobChanged(job));
};

/** The queues as people use them: pausing and resuming is an event. */
export const observedQueues = ({ queues, events }: Pick<Runtime, 'queues' | 'events'>): Queues => ({
  ...queues,
  pause: (queue) => {
    queues.pause(queue);
    events.tell({ kind: 'queue.paused', queue });
  },
  resume: (queue) => {
    queues.resume(queue);
    events.tell({ kind: 'queue.resumed', queue });
  },
});

export interface Observed {
  readonly watcher: InboxWatcher;
  readonly outcomes: OutcomePublisher;
  readonly drain: SpoolDrain;
  /** Undefined where this node is no candidate. */
  readonly sweeper: Sweeper | undefined;
}

/** What the metrics look up. */
export const metricSources = (runtime: Runtime, { watcher, outcomes, drain, sweeper }: Observed): MetricSources => ({
  ...localMetricSources(runtime),
  isEtcdUp: () => (runtime.config.watch.enabled ? watcher.state.connected : null),
  outcomesPending: () => outcomes.pending,
  spool: () => drain.state,
  isSweeper: () => sweeper?.isElected ?? false,
  // Of a thousand nodes a few are enough.
  etcdSpace: async () =>
    runtime.config.broker !== undefined || sweeper?.isElected === true ? runtime.space.current(spaceAgeMs) : undefined,
});
