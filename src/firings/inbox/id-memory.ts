import { type FiringId, timeOfFiringId } from '../../domain/firing.ts';
import type { Clock } from '../../kit/clock.ts';
import { formatDuration } from '../../kit/duration.ts';
import type { Log } from '../../kit/log.ts';
import type { FiringLog } from '../../queue/ports/journal.ts';

const everyMs = 3_600_000;

export interface IdMemoryOptions {
  readonly firings: Pick<FiringLog, 'forgetBefore' | 'forgottenUpTo'>;
  /** `[history] ids`. */
  readonly keepMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * For how long this node knows what it has run: an id is remembered for `keepMs`, and a firing that is unknown although it
 * may be a forgotten one is refused, so that forgetting never leads to a second run.
 *
 * The id's own time decides, on both sides. One from the future is remembered until that time is past, too; one from a
 * publisher whose clock is far behind is refused, and says why. Should our own clock go back after it has made us forget,
 * the largest id that was ever forgotten still marks what may have been run.
 */
export class IdMemory {
  readonly #options: IdMemoryOptions;
  #timer: NodeJS.Timeout | undefined;
  #forgottenUpTo: FiringId | null;

  constructor(options: IdMemoryOptions) {
    this.#options = options;
    this.#forgottenUpTo = options.firings.forgottenUpTo();
  }

  start(): void {
    this.forget();
    this.#timer = setInterval(() => this.forget(), everyMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Why a firing that the journal does not know is refused; null when it is certainly new. */
  refusal(id: FiringId): string | null {
    const { clock, keepMs } = this.#options;
    const madeAt = timeOfFiringId(id);
    const isOld = madeAt < clock.now() - keepMs;
    if (!isOld && (this.#forgottenUpTo === null || id > this.#forgottenUpTo)) return null;
    return `too old: its id is of ${new Date(madeAt).toISOString()}, and ids are remembered for ${formatDuration(keepMs)}`;
  }

  forget(): void {
    const { firings, clock, keepMs, log } = this.#options;
    try {
      const forgotten = firings.forgetBefore(clock.now() - keepMs);
      this.#forgottenUpTo = firings.forgottenUpTo();
      if (forgotten > 0) log.info({ forgotten }, 'Forgot the IDs of old firings');
    } catch (error) {
      log.warn({ error }, 'Cannot forget the IDs of old firings; retrying');
    }
  }
}
