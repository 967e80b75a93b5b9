import { stoppedByLoopGuard } from '../domain/chain.ts';
import { asTriggerdError, type TriggerdError } from '../domain/errors.ts';
import { type Firing, isExpired } from '../domain/firing.ts';
import type { Log } from '../domain/log.ts';
import { skippedOutcome } from '../domain/outcome.ts';
import type { Clock } from '../queue/ports.ts';
import type { IdMemory } from './id-memory.ts';
import type { Keys } from './keys.ts';
import type { Notices } from './notices.ts';
import type { DecideJob, Entry, Intake, KeyStore } from './ports.ts';
import { recordOutcome } from './record-outcome.ts';
import { parseFiring } from './wire.ts';

/** Who tells etcd what became of a firing. */
export interface OutcomeSink {
  /** The firing's state here may have changed. */
  publish(firing: string): void;
  /** etcd owes this firing still, although its end was published. */
  publishAgain(firing: string): void;
  /** The firing's entry is gone from the inbox: who has ended it? */
  entryGone(firing: string): void;
}

export interface TakeFiringOptions {
  readonly store: KeyStore;
  readonly keys: Keys;
  readonly node: string;
  readonly intake: Intake;
  readonly decideJob: DecideJob;
  /** What may have been run and forgotten. Without it nothing is too old. */
  readonly ids?: Pick<IdMemory, 'refusal'>;
  readonly outcomes: OutcomeSink;
  readonly clock: Clock;
  readonly log: Log;
  /** The queue or the journal takes nothing now: list again, later. */
  readonly onPostponed: (error: TriggerdError) => void;
}

/**
 * Takes a firing that is owed to this node and that the journal does not know: it is *accepted* or *refused*, both in
 * the journal; a malformed one ends with an outcome in etcd that says so; what the queue can't take now is *postponed*
 * and stays owed. Throws only for etcd.
 */
export class FiringTaker {
  readonly #options: TakeFiringOptions;
  readonly #notices: Notices;

  constructor(options: TakeFiringOptions, notices: Notices) {
    this.#options = options;
    this.#notices = notices;
  }

  async take(id: string, stored: Entry): Promise<void> {
    let firing: Firing;
    try {
      firing = parseFiring(stored.key, stored.value);
    } catch (error) {
      return this.#refuseMalformed(id, asTriggerdError(error));
    }
    if (firing.id !== id) return this.#refuseMalformed(id, new Error('the id in it is another one'));
    this.#journal(firing);
  }

  #journal(firing: Firing): void {
    const { intake, outcomes, onPostponed } = this.#options;
    try {
      const decision = this.#decide(firing);
      if ('refusal' in decision) intake.refuse(firing, decision.refusal);
      else this.#accept(firing, decision);
      outcomes.publish(firing.id);
    } catch (thrown) {
      const error = asTriggerdError(thrown);
      if (error.retryable) onPostponed(error);
      else this.#notices.once(firing.id, { firing: firing.id, error }, 'A firing can not be accepted; it stays owed.');
    }
  }

  #decide(firing: Firing): ReturnType<DecideJob> {
    const { node, clock, ids, decideJob } = this.#options;
    if (!firing.targets.includes(node)) return { refusal: 'this node is not one of its targets' };
    if (isExpired(firing, clock.now())) return { refusal: 'expired' };
    const tooOld = ids?.refusal(firing.id) ?? null;
    if (tooOld !== null) return { refusal: tooOld };
    const stop = stoppedByLoopGuard(firing, node);
    if (stop !== null) return { refusal: stop };
    return decideJob(firing);
  }

  /** What could never run (an unknown plugin, wrong arguments) is refused; what can't be taken now is not. */
  #accept(firing: Firing, { request }: Extract<ReturnType<DecideJob>, { request: unknown }>): void {
    const { intake, log } = this.#options;
    try {
      const { kind } = intake.accept(firing, request);
      const facts = { firing: firing.id, trigger: firing.trigger, origin: firing.origin.node, kind };
      if (kind !== 'known') log.info(facts, 'Accepted a firing.');
    } catch (thrown) {
      const error = asTriggerdError(thrown);
      if (error.retryable || error.code === 'internal') throw error;
      intake.refuse(firing, error.message);
    }
  }

  /** It can't be journalled, so etcd alone keeps its end; without that it would be owed for ever. */
  async #refuseMalformed(id: string, error: Error): Promise<void> {
    const { node, clock, store, keys } = this.#options;
    this.#notices.once(id, { firing: id, error }, 'A firing is malformed; it ends as skipped.');
    await recordOutcome({ store, keys }, skippedOutcome(id, node, `malformed: ${error.message}`, clock.now()));
  }
}
