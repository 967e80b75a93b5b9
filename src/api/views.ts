import { asTriggerdError, errorCatalogue } from '../domain/errors.ts';
import type { Origin } from '../domain/firing.ts';
import type { ListedJob } from '../domain/job.ts';
import type { Outcome } from '../domain/outcome.ts';
import { exitCodeOf, ownExitCode, reasonOf } from '../domain/result.ts';
import type { Plugin } from '../plugin/manifest.ts';
import type { QueueSummary } from '../queue/queues.ts';
import type { ErrorView, FiringView, JobView, OutcomeView, PluginView, QueueView } from './contract.ts';
import type { FiringStatus, PluginCatalogue } from './ports.ts';

export const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

export const errorView = (
  thrown: unknown,
): { readonly status: number; readonly body: { readonly error: ErrorView } } => {
  const error = asTriggerdError(thrown);
  const { code, message, remedy, details } = error;
  return { status: errorCatalogue[code].http, body: { error: { code, message, remedy, details } } };
};

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

export const queueView = (queue: QueueSummary): QueueView => ({ ...queue });

export const outcomeView = (outcome: Outcome): OutcomeView => ({
  node: outcome.node,
  stage: outcome.stage,
  result: outcome.result,
  exit_code: outcome.exitCode,
  signal: outcome.signal,
  job_id: outcome.jobId,
  attempt: outcome.attempt,
  reason: outcome.reason,
  queued_at: iso(outcome.queuedAt),
  started_at: iso(outcome.startedAt),
  finished_at: iso(outcome.finishedAt),
  duration_ms: outcome.durationMs,
  clock_skew_ms: outcome.clockSkewMs,
  details: outcome.details,
  output_tail: outcome.outputTail,
  ...(outcome.outputTailBase64 === undefined ? {} : { output_tail_base64: outcome.outputTailBase64 }),
});

export const firingView = ({ firing, outcomes }: FiringStatus): FiringView => ({
  id: firing.id,
  trigger: firing.trigger,
  origin: originView(firing.origin),
  targets: firing.targets,
  job: firing.job,
  noop: firing.noop,
  tags: firing.tags,
  created_at: firing.createdAt,
  expires_at: firing.expiresAt,
  outcomes: Object.fromEntries(outcomes.map((outcome) => [outcome.node, outcomeView(outcome)])),
});

export const originView = (origin: Origin): Record<string, unknown> => {
  if (origin.kind === 'cli') return { ...origin };
  const { kind, node, certname, environment, resource, causes } = origin;
  return {
    kind,
    node,
    certname,
    environment,
    catalog_uuid: origin.catalogUuid,
    transaction_uuid: origin.transactionUuid,
    catalog_version: origin.catalogVersion,
    resource,
    causes,
    causes_total: origin.causesTotal,
  };
};

/** A plugin as listed; one that can not be used is shown with the problem instead of hiding the others. */
export const pluginView = (catalogue: PluginCatalogue, name: string): PluginView => {
  try {
    return usablePluginView(catalogue.find(name), catalogue.isAllowed(name));
  } catch (thrown) {
    const problem = asTriggerdError(thrown).message;
    const none = { summary: '', mode: '', path: '', timeout_ms: null, noop: false, args: {} };
    return { name, ...none, allowed: catalogue.isAllowed(name), problem };
  }
};

export const usablePluginView = (plugin: Plugin, allowed: boolean): PluginView => {
  const { summary, mode, timeout, noop, args } = plugin.manifest;
  return {
    name: plugin.name,
    summary,
    mode,
    path: plugin.executable,
    timeout_ms: timeout,
    noop,
    allowed,
    args,
    problem: null,
  };
};
