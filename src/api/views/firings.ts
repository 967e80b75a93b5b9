import type { Origin } from '../../domain/firing.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { FiringView, OutcomeView } from '../contract/firings.ts';
import type { FiringStatus } from '../services/services.ts';
import { iso } from './time.ts';

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
