/** The outcome as `docs/reference/keyspace.md` has it ↔ the domain. */
import * as v from 'valibot';
import type { Outcome } from '../../domain/outcome.ts';
import { counter, format, instant, nodeName, orNull, parseDocument, text, toTimestamp } from '../../store/document.ts';

const outcomeDocument = v.object({
  firing: text(26),
  node: nodeName,
  stage: v.picklist(['queued', 'running', 'deferred', 'finished', 'skipped']),
  result: orNull(v.picklist(['succeeded', 'failed', 'failed-to-start', 'killed', 'timed-out', 'interrupted'])),
  exit_code: orNull(v.pipe(v.number(), v.safeInteger())),
  signal: orNull(text(64)),
  reason: orNull(text(65_536)),
  job_id: orNull(counter),
  attempt: v.nullish(counter, 0),
  queued_at: orNull(instant),
  started_at: orNull(instant),
  finished_at: orNull(instant),
  duration_ms: orNull(counter),
  clock_skew_ms: orNull(v.pipe(v.number(), v.safeInteger())),
  details: v.nullish(v.record(v.string(), v.unknown()), {}),
  output_tail: orNull(v.string()),
  output_tail_base64: v.nullish(v.string()),
});

/** Throws `firing-malformed`. */
export const parseOutcome = (key: string, value: string): Outcome => {
  const document = parseDocument(outcomeDocument, key, value);
  return {
    firing: document.firing,
    node: document.node,
    stage: document.stage,
    result: document.result,
    exitCode: document.exit_code,
    signal: document.signal,
    reason: document.reason,
    jobId: document.job_id,
    attempt: document.attempt,
    queuedAt: document.queued_at,
    startedAt: document.started_at,
    finishedAt: document.finished_at,
    durationMs: document.duration_ms,
    clockSkewMs: document.clock_skew_ms,
    details: document.details,
    outputTail: document.output_tail,
    ...(document.output_tail_base64 ? { outputTailBase64: document.output_tail_base64 } : {}),
  };
};

/** Always the same bytes for the same outcome: a writer recognises its own by them. */
export const serializeOutcome = (outcome: Outcome): string =>
  JSON.stringify({
    format,
    firing: outcome.firing,
    node: outcome.node,
    stage: outcome.stage,
    result: outcome.result,
    exit_code: outcome.exitCode,
    signal: outcome.signal,
    reason: outcome.reason,
    job_id: outcome.jobId,
    attempt: outcome.attempt,
    queued_at: toTimestamp(outcome.queuedAt),
    started_at: toTimestamp(outcome.startedAt),
    finished_at: toTimestamp(outcome.finishedAt),
    duration_ms: outcome.durationMs,
    clock_skew_ms: outcome.clockSkewMs,
    details: outcome.details,
    output_tail: outcome.outputTail,
    // Only where there is one: readers of before see the document that they know.
    output_tail_base64: outcome.outputTailBase64,
  });
