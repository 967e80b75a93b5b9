import type { HealthView } from '../api/contract/health.ts';
import type { QueueView } from '../api/contract/queues.ts';
import { formatDuration } from '../kit/duration.ts';
import { type Finding, fine, warning } from './finding.ts';
import type { Surroundings } from './ports.ts';

/** A job that waits longer than this although it could run is worth a look. */
const oldMs = 3_600_000;

/** Whether the queues move: not paused, not draining, nothing deferred, nobody waiting for hours. */
export const checkQueues = async (surroundings: Surroundings, { queues }: HealthView): Promise<Finding[]> => {
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
