import { nextCall } from './next-call.ts';
import { onAbort } from './on-abort.ts';
import { startTimer } from './timer.ts';

/** Resolves after `ms`, or at once when the signal aborts: then without an error, the caller looks at its signal. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  nextCall((call) => startTimer(ms, call), signal);

/** A pause that somebody else may cut short. A ring while nobody waits is kept for the next wait. */
export class Alarm {
  #waiting: AbortController | undefined;
  #isRinging = false;

  ring(): void {
    this.#isRinging = true;
    this.#waiting?.abort();
  }

  /** Whether it was cut short by `ring`. */
  async wait(ms: number, signal: AbortSignal): Promise<boolean> {
    this.#waiting = new AbortController();
    const off = onAbort(signal, () => this.#waiting?.abort());
    if (!this.#isRinging) await pause(ms, this.#waiting.signal);
    off();
    this.#waiting = undefined;
    const rung = this.#isRinging;
    this.#isRinging = false;
    return rung;
  }
}
