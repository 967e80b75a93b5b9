/** Outcomes that no worker has reported: the leg has not run, or nobody knows whether it has. */
import { outcomeWithoutRun } from '../bus/codec/fields.ts';
import type { WireOutcome } from '../bus/messages.ts';

export const noWorker = outcomeWithoutRun('lost', 'no worker is connected', 'no-worker');
/** No client gets this: all clients were sent to another broker. */
export const brokerStops = outcomeWithoutRun('lost', 'this broker stops', 'draining');
export const tooLate = outcomeWithoutRun('timed-out', 'no worker had a slot for it in time');
export const unreported = outcomeWithoutRun('timed-out', 'its time was over, and its worker has not said how it ended');

export const killed = (reason: string): WireOutcome => outcomeWithoutRun('killed', reason);

/** `outputBytes`: bytes of output that have arrived. */
export const workerLost = (worker: string | null, outputBytes: number): WireOutcome =>
  outcomeWithoutRun('lost', `${worker ?? 'a worker'} was lost; it may have run there`, 'worker-lost', outputBytes);
