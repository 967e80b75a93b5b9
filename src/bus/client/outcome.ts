import type { RequestId } from '../../domain/request.ts';
import type { Algorithm } from '../../domain/service.ts';
import type { WireOutcome } from '../messages.ts';

/** How one worker's part ended, or the whole of it. */
export interface Outcome {
  readonly result: WireOutcome['result'];
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** In words what the result does not say. */
  readonly reason: string | null;
  readonly code: WireOutcome['code'];
  readonly ranMs: number | null;
  readonly outputBytes: number;
}

export interface RequestLeg extends Outcome {
  readonly worker: string;
}

export interface RequestResult extends Outcome {
  readonly id: RequestId;
  /** Null where a worker was asked and not a service. */
  readonly algorithm: Algorithm | null;
  readonly legs: readonly RequestLeg[];
}

export const outcomeOf = (outcome: WireOutcome): Outcome => ({
  result: outcome.result,
  exitCode: outcome.exit_code,
  signal: outcome.signal,
  reason: outcome.reason,
  code: outcome.code,
  ranMs: outcome.ran_ms,
  outputBytes: outcome.output_bytes,
});

/** An end that nobody has told us. */
export const untoldOutcome = (result: Outcome['result'], reason: string): Outcome => ({
  result,
  exitCode: null,
  signal: null,
  reason,
  code: null,
  ranMs: null,
  outputBytes: 0,
});
