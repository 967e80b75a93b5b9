import type { Clock } from './ports.ts';

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly everyMs: number;
  /** Says that we live. */
  beat(): void;
  /** The other side has given no sign of life for too long. */
  onSilent(): void;
}

/** A peer that is silent for so many heartbeats is gone. */
const liveness = 4;

/** Looks once per heartbeat: says that we live, where nothing else was said, and whether the other side does. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #heardAt: number;
  #sentAt: number;
  #lookedAt: number;
  #cancelTimer: () => void = () => undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    const now = options.clock.now();
    this.#heardAt = now;
    this.#sentAt = now;
    this.#lookedAt = now;
  }

  start(): void {
    this.#cancelTimer = this.#options.clock.after(this.#options.everyMs, () => this.#look());
  }

  stop(): void {
    this.#cancelTimer();
  }

  /** The other side has said something. */
  heard(): void {
    this.#heardAt = this.#options.clock.now();
  }

  /** We have said something. */
  sent(): void {
    this.#sentAt = this.#options.clock.now();
  }

  #look(): void {
    const { clock, everyMs, beat, onSilent } = this.#options;
    const now = clock.now();
    // We were not running ourselves (stopped, suspended): what has come meanwhile is heard first.
    if (now - this.#lookedAt > 2 * everyMs) this.#heardAt = now;
    this.#lookedAt = now;
    if (now - this.#heardAt > liveness * everyMs) {
      onSilent();
      return;
    }
    if (now - this.#sentAt >= everyMs * 0.9) beat();
    this.start();
  }
}
