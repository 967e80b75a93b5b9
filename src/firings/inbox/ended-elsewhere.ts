/**
 * Firings that have ended for this node before it has done anything about them.
 *
 * A firing is owed here for as long as its inbox entry is there. When the entry goes and it was not this node that ended
 * it, somebody else has: it was *cancelled*, it *expired*, or this node was *forgotten*. The watch or the next listing
 * shows that it is gone, the publisher finds the outcome that is recorded, the journal takes that over, and then:
 *
 * - a *queued* job of which no other firing is owed any more is skipped, for the same reason;
 * - a *running* job continues. It is killed only if that was asked for (in that outcome, or by a wish in the entry while
 *   that is still there) and every firing that it is for has ended or was asked to be killed too.
 *
 * A crash in between loses nothing: before its start each job is asked whether anything is still owed (`reasonToSkip`).
 */
import { type FiringId, isExpired } from '../../domain/firing.ts';
import type { Job, QueuedJob } from '../../domain/job.ts';
import { type Outcome, outcomeOfJob } from '../../domain/outcome.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Log } from '../../kit/log.ts';
import type { FiringLog, LoggedFiring } from '../../queue/ports/journal.ts';
import type { Queues } from '../../queue/queues.ts';
import type { Keyspace } from '../../store/keys.ts';
import { isPublishedFinal, markOf } from '../outcomes/published.ts';
import { recordOutcome } from '../outcomes/record-outcome.ts';

export interface EndedElsewhereOptions extends Keyspace {
  readonly node: string;
  readonly firings: Pick<FiringLog, 'find' | 'ofJob' | 'markPublished'>;
  readonly queues: Pick<Queues, 'get' | 'skip' | 'kill'>;
  readonly clock: Clock;
  readonly log: Log;
}

export class EndedElsewhere {
  readonly #options: EndedElsewhereOptions;
  /** Firings whose running job is to be killed; the entries themselves remember it over a restart. */
  readonly #wished = new Set<FiringId>();

  constructor(options: EndedElsewhereOptions) {
    this.#options = options;
  }

  /** The journal has just learnt how somebody else ended this firing. */
  async ended({ firing, jobId }: LoggedFiring, outcome: Outcome): Promise<void> {
    if (jobId === null) return;
    const job = this.#options.queues.get(jobId);
    if (job.state === 'queued') this.#skipUnlessOwed(job, outcome.reason);
    else if (job.state === 'running' && asksToKill(outcome)) await this.killWished(firing.id, outcome.reason ?? '');
  }

  /** Somebody wants the firing ended although its job may run. */
  async killWished(id: FiringId, reason: string): Promise<void> {
    const { firings, queues } = this.#options;
    const logged = firings.find(id);
    if (logged === undefined || logged.jobId === null) return;
    const job = queues.get(logged.jobId);
    if (job.state === 'queued') await this.#endQueued(logged, job, reason);
    else if (job.state === 'running') await this.#killUnlessOwed(id, job, reason);
  }

  /** It ran when the wish was uttered, and has been deferred since. */
  async #endQueued(logged: LoggedFiring, job: QueuedJob, reason: string): Promise<void> {
    const { node, clock, firings } = this.#options;
    const before = outcomeOfJob(job, logged.firing.id, node, null);
    const outcome: Outcome = { ...before, stage: 'skipped', reason, finishedAt: clock.now() };
    const recorded = await recordOutcome(this.#options, outcome);
    if (recorded.kind === 'settled') return;
    firings.markPublished({ [logged.firing.id]: markOf(outcome) });
    this.#skipUnlessOwed(job, reason);
  }

  #skipUnlessOwed({ id }: Job, reason: string | null): void {
    const { firings, queues, log } = this.#options;
    if (liveFirings(firings, id).length > 0 || queues.get(id).state !== 'queued') return;
    queues.skip(id, reason ?? nothingOwed);
    log.info({ job: id, reason }, 'Skipped a queued job: its firings are no longer owed');
  }

  async #killUnlessOwed(id: FiringId, job: Job, reason: string): Promise<void> {
    const { firings, queues, log } = this.#options;
    const isNew = !this.#wished.has(id);
    this.#wished.add(id);
    const others = liveFirings(firings, job.id).filter(({ firing }) => !this.#wished.has(firing.id));
    if (others.length > 0) {
      if (isNew) log.info({ job: job.id, firing: id }, 'A job continues despite a kill: other firings need it');
      return;
    }
    for (const { firing } of firings.ofJob(job.id)) this.#wished.delete(firing.id);
    log.info({ job: job.id, firing: id, reason }, 'Killed a running job');
    await queues.kill(job.id);
  }
}

/** Why a queued job is not started when its turn comes: all that it was for has expired, or was ended elsewhere. */
export const reasonToSkip = (firings: Pick<FiringLog, 'ofJob'>, job: QueuedJob, now: number): string | null => {
  if (job.firings.length === 0) return null;
  const live = liveFirings(firings, job.id);
  if (live.length === 0) return nothingOwed;
  return live.every(({ firing }) => isExpired(firing, now)) ? 'expired' : null;
};

/** The firings of a job that etcd has no final outcome for. */
export const liveFirings = (firings: Pick<FiringLog, 'ofJob'>, job: number): LoggedFiring[] =>
  firings.ofJob(job).filter(({ published }) => !isPublishedFinal(published));

const nothingOwed = 'no firing of the job is owed any more';

const asksToKill = ({ details }: Outcome): boolean =>
  (details['cancelled'] as { readonly kill?: unknown } | undefined)?.kill === true;
