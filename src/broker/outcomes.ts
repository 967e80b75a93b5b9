/** Outcomes that no worker has reported: the leg has not run, or nobody knows whether it has. */
import type { WireOutcome } from '../bus/messages.ts';

export const outcomeOf = (
  result: WireOutcome['result'],
  reason: string,
  code: WireOutcome['code'] = null,
  outputBytes = 0,
): WireOutcome => ({ result, exit_code: null, signal: null, reason, code, ran_ms: null, output_bytes: outputBytes });

export const noWorker = outcomeOf('lost', 'no worker is connected', 'no-worker');
/** No client gets this: all clients were sent to another broker. */
export const brokerStops = outcomeOf('lost', 'this broker stops', 'draining');
export const tooLate = outcomeOf('timed-out', 'no worker had a slot for it in time');
export const noEndTold = outcomeOf('timed-out', 'its time was over, and its worker has not said how it ended');

export const killed = (reason: string): WireOutcome => outcomeOf('killed', reason);

/** `outputBytes`: bytes of output that have arrived. */
export const workerLost = (worker: string | null, outputBytes: number): WireOutcome =>
  outcomeOf('lost', `${worker ?? 'a worker'} was lost; it may have run there`, 'worker-lost', outputBytes);
