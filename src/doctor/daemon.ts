import type { HealthView } from '../api/contract/health.ts';
import type { QueueView } from '../api/contract/queues.ts';
import type { Config } from '../config/schema.ts';
import { asTriggerdError, errorCatalogue } from '../domain/errors.ts';
import { formatDuration } from '../kit/duration.ts';
import { type Finding, fine, warning, wrong } from './finding.ts';
import type { Surroundings } from './ports.ts';

/** Whether the daemon answers, what it says of itself, and its queues. */
export const checkDaemon = async (
  surroundings: Surroundings,
  { watch }: Config,
  health: Promise<HealthView>,
): Promise<Finding[]> => {
  try {
    const answer = await health;
    return [
      daemonFinding(answer, watch.enabled),
      ...nameFindings(answer),
      ...(await checkQueues(surroundings, answer)),
    ];
  } catch (thrown) {
    const error = asTriggerdError(thrown);
    return [wrong('daemon', error.message, errorCatalogue[error.code].remedy)];
  }
};

/** Two daemons of one name: whichever of them is looked at. */
const nameFindings = ({ node, name }: HealthView): Finding[] => {
  if (name === undefined || name.state === 'asking') return [];
  if (name.state === 'waiting') return [warning('name', name.what ?? '', name.remedy ?? '')];
  if (name.state === 'refused') return [wrong('name', `${name.what}; this node accepts no firings`, name.remedy ?? '')];
  if (name.refused.length === 0) return [fine('name', `${node} belongs to this daemon`)];
  const others = name.refused.map(
    ({ host, address, pid }) => `${host}${address === null ? '' : ` (${address})`}, pid ${pid}`,
  );
  return [
    wrong(
      'name',
      `${node} belongs to this daemon, and is refused to ${others.join('; ')}`,
      'Give that machine its own [node] name, or stop its daemon.',
    ),
  ];
};

/** Whether a daemon reaches etcd is known from its watch: of one that watches nothing, etcd's own line tells. */
const daemonFinding = ({ node, version, pid, etcd }: HealthView, watches: boolean): Finding => {
  const about = `triggerd ${version} as ${node}, pid ${pid}`;
  if (etcd.connected || !watches) return fine('daemon', about);
  const what = `${about}: no etcd since ${etcd.since}${etcd.last_error === null ? '' : ` (${etcd.last_error})`}`;
  return wrong('daemon', what, 'Local jobs continue; see etcd below.');
};

/** A job that waits longer than this although it could run is worth a look. */
const oldMs = 3_600_000;

/** Whether the queues move: not paused, not draining, nothing deferred, nobody waiting for hours. */
const checkQueues = async (surroundings: Surroundings, { queues }: HealthView): Promise<Finding[]> => {
  const findings = await Promise.all(queues.map((queue) => queueFindings(surroundings, queue)));
  const waiting = queues.map(({ name, running, queued }) => `${name} ${running}+${queued}`).join(', ');
  return findings.flat().length > 0 ? findings.flat() : [fine('queues', `running+queued: ${waiting}`)];
};

const queueFindings = async ({ daemon, now }: Surroundings, queue: QueueView): Promise<Finding[]> => {
  const { name, paused, draining, deferred, queued } = queue;
  const findings: Finding[] = [];
  if (paused)
    findings.push(warning('queues', `${name} is paused, ${queued} queued`, `trigger queue resume --queue ${name}`));
  if (draining)
    findings.push(warning('queues', `${name} accepts no new jobs (drain)`, `trigger queue resume --queue ${name}`));
  const next = queued > 0 ? await daemon.nextJob(name) : undefined;
  if (next === undefined) return findings;
  if (deferred > 0) {
    const what = `${name}: ${deferred} deferred${next.reason === null ? '' : `: ${next.reason}`}`;
    findings.push(warning('queues', what, 'They run when the reason is gone.'));
  }
  const age = now() - Date.parse(next.enqueued_at);
  if (age > oldMs) {
    const what = `${name}: job ${next.id} has waited for ${formatDuration(Math.round(age / 60_000) * 60_000)}`;
    findings.push(warning('queues', what, `Look at the running jobs: trigger queue --queue ${name}`));
  }
  return findings;
};
