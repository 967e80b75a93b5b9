/** Resolves after `ms`, or at once when the signal aborts: then without an error, the caller looks at its signal. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });

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
    const onAbort = () => this.#waiting?.abort();
    signal.addEventListener('abort', onAbort);
    if (!this.#isRinging && !signal.aborted) await pause(ms, this.#waiting.signal);
    signal.removeEventListener('abort', onAbort);
    this.#waiting = undefined;
    const rung = this.#isRinging;
    this.#isRinging = false;
    return rung;
  }
}
