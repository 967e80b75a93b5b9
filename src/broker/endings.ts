/** Endings that no worker has told: the leg has not run, or nobody knows whether it has. */
import type { Ending } from '../bus/messages.ts';

export const endingOf = (
  result: Ending['result'],
  reason: string,
  code: Ending['code'] = null,
  outputBytes = 0,
): Ending => ({ result, exit_code: null, signal: null, reason, code, ran_ms: null, output_bytes: outputBytes });

export const noWorker = endingOf('lost', 'no worker is connected', 'no-worker');
/** Told to nobody: clients have been sent to another broker. */
export const brokerStops = endingOf('lost', 'this broker stops', 'draining');
export const tooLate = endingOf('timed-out', 'no worker had a slot for it in time');
export const noEndTold = endingOf('timed-out', 'its time was over, and its worker has not said how it ended');

export const killed = (reason: string): Ending => endingOf('killed', reason);

/** `outputBytes`: what has come of its output. */
export const workerLost = (worker: string | null, outputBytes: number): Ending =>
  endingOf('lost', `${worker ?? 'a worker'} was lost; it may have run there`, 'worker-lost', outputBytes);
