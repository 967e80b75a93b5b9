/** `trigger queue info`: one fact per line. */
import type { JobView } from '../../api/contract/jobs.ts';
import { formatDuration } from '../../kit/duration.ts';
import { visible } from '../../kit/text.ts';
import { renderFacts } from './facts.ts';
import { leftoversFact } from './leftovers.ts';
import { localTime, localTimeAndAge, took } from './time.ts';

export const renderJobInfo = (job: JobView, now: number): string => {
  const at = (iso: string | null) => (iso === null ? null : localTimeAndAge(iso, now));
  return renderFacts([
    ['Job', String(job.id)],
    ['Queue', job.queue],
    ['State', job.deferred ? `${job.state} (deferred)` : job.state],
    ['Result', resultOf(job)],
    ['Reason', job.reason],
    ['Label', job.label],
    ['Plugin', job.plugin],
    ['Command', job.command],
    ['Noop', job.noop ? 'yes' : null],
    ['After', job.after === null ? null : `job ${job.after}`],
    ['If succeeded', job.if_ok?.length ? job.if_ok.map((id) => `job ${id}`).join(', ') : null],
    ['Not before', job.not_before ? localTime(job.not_before) : null],
    ['Key', job.key ? visible(job.key) : null],
    ['Slots', job.slots === undefined || job.slots === 1 ? null : String(job.slots)],
    ['On finish', job.on_finish ? visible(job.on_finish) : null],
    ['Tells of', job.tells_of ? `job ${job.tells_of}` : null],
    ['Source', job.user === null ? job.source : `${job.source}, ${job.user}`],
    ['Firings', job.firings.length === 0 ? null : job.firings.join(', ')],
    ['Attempt', job.attempt === 0 ? null : String(job.attempt)],
    ['Pid', job.pid ? String(job.pid) : null],
    ['Timeout', job.timeout_ms === null ? null : formatDuration(job.timeout_ms)],
    ['Enqueued', at(job.enqueued_at)],
    ['Started', at(job.started_at)],
    ['Ended', at(job.finished_at)],
    ['Times', timesOf(job)],
    ['Output', job.output ?? '(in the journal)'],
    ['Leftovers', leftoversFact(job.details)],
    ['Stderr', job.stderr ?? null],
    ['Details', Object.keys(job.details).length === 0 ? null : visible(JSON.stringify(job.details))],
  ]);
};

const resultOf = (job: JobView): string | null => {
  if (job.result === null) return null;
  if (job.signal !== null) return `${job.result} by ${job.signal}`;
  return job.exit_code === null ? job.result : `${job.result}, exit code ${job.exit_code}`;
};

const timesOf = ({ times }: JobView): string | null =>
  times === null
    ? null
    : `${took(times.real * 1000)} (user ${times.user.toFixed(2)} s, system ${times.system.toFixed(2)} s)`;
