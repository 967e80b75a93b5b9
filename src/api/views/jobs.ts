import type { ListedJob } from '../../domain/job.ts';
import { exitCodeOf, ownExitCode, reasonOf } from '../../domain/result.ts';
import type { JobView } from '../contract/jobs.ts';
import { iso } from './time.ts';

export const jobView = (job: ListedJob): JobView => ({
  id: job.id,
  queue: job.request.queue,
  state: job.state,
  result: null,
  exit_code: null,
  signal: null,
  reason: null,
  deferred: false,
  label: job.request.label,
  plugin: job.request.plugin,
  command: job.command,
  output: job.outputIn === undefined ? `${job.folder}/output` : null,
  slots: job.request.slots ?? 1,
  on_finish: job.request.onFinish ?? null,
  tells_of: job.request.tellsOf ?? null,
  tsp: job.request.tsp ?? null,
  stderr: job.request.stderrApart === true ? `${job.folder}/output.err` : null,
  firings: job.firings,
  source: job.request.source,
  user: job.request.user ?? null,
  noop: job.request.noop,
  attempt: job.attempt,
  after: job.request.after,
  if_ok: job.request.ifOk ?? [],
  not_before: iso(job.request.notBefore ?? null),
  key: job.request.key ?? null,
  timeout_ms: job.request.timeoutMs,
  enqueued_at: new Date(job.enqueuedAt).toISOString(),
  started_at: null,
  finished_at: null,
  times: null,
  details: {},
  wait_exit_code: null,
  ...stateView(job),
});

/** The fields that only some states have. */
const stateView = (job: ListedJob): Partial<JobView> => {
  switch (job.state) {
    case 'queued':
      return { deferred: job.deferral !== null, reason: job.deferral?.reason ?? null };
    case 'running':
      return { started_at: iso(job.startedAt) };
    case 'skipped':
      return { finished_at: iso(job.finishedAt), reason: job.reason, wait_exit_code: 1 };
    case 'finished':
      return {
        result: job.result.kind,
        exit_code: ownExitCode(job.result),
        signal: job.result.kind === 'killed' ? job.result.signal : null,
        reason: reasonOf(job.result),
        started_at: iso(job.startedAt),
        finished_at: iso(job.finishedAt),
        times: { real: job.times.realS, user: job.times.userS, system: job.times.systemS },
        details: job.details,
        wait_exit_code: exitCodeOf(job.result),
      };
  }
};
