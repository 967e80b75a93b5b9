import { stoppedByLoopGuard } from '../../domain/chain.ts';
import { asTriggerdError, TriggerdError } from '../../domain/errors.ts';
import { type Firing, type FiringId, isExpired } from '../../domain/firing.ts';
import type { JobRequest } from '../../domain/job.ts';
import { skippedOutcome } from '../../domain/outcome.ts';
import type { NameGate } from '../../fleet/names/ports.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Log } from '../../kit/log.ts';
import type { Notices } from '../../kit/notices.ts';
import type { Acceptance, DecidedFiring } from '../../queue/ports/journal.ts';
import type { Entry, KeyStore } from '../../store/key-store.ts';
import type { Keys } from '../../store/keys.ts';
import { recordOutcome } from '../outcomes/record-outcome.ts';
import type { DecideJob, FiringObserver, Intake } from '../ports.ts';
import { parseFiring } from '../wire/firing.ts';
import type { IdMemory } from './id-memory.ts';

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
  /** Without it nobody else can have the node's name. */
  readonly name?: NameGate;
  readonly outcomes: OutcomeSink;
  readonly observer?: FiringObserver;
  readonly clock: Clock;
  readonly log: Log;
  /** The queue or the journal takes nothing now: list again, later. */
  readonly onPostponed: (error: TriggerdError) => void;
}

/** What is owed waits until it is known whether the name is ours. */
export const nameNotHeld = (): TriggerdError =>
  new TriggerdError('node-name-taken', 'another daemon may have this node’s name');

/** A firing as etcd has it. */
export interface StoredFiring {
  readonly id: FiringId;
  readonly entry: Entry;
}

/**
 * Takes firings that are owed to this node and that the journal does not know: each is *accepted* or *refused*, both in
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

  /** In this order, journalled in one transaction. */
  async take(stored: readonly StoredFiring[]): Promise<void> {
    const read = stored.map(readFiring);
    const firings = read.flatMap((each) => ('firing' in each ? [each.firing] : []));
    this.#journal(firings.flatMap((firing) => this.#decided(firing) ?? []));
    for (const each of read) if ('malformed' in each) await this.#refuseMalformed(each.id, each.malformed);
  }

  /** One that the journal refuses costs only itself: what fails together is tried one by one. */
  #journal(decided: readonly DecidedFiring[]): void {
    const [first, ...others] = decided;
    if (first === undefined) return;
    try {
      // Nothing is awaited from here to the journal.
      if (this.#options.name?.isHeld() === false) throw nameNotHeld();
      const { intake, observer } = this.#options;
      observer?.taking(decided);
      const acceptances = intake.take(decided);
      observer?.taken(decided, acceptances);
      for (const [index, { firing }] of decided.entries()) this.#taken(firing, acceptances[index]);
    } catch (thrown) {
      if (others.length === 0) this.#failed(first.firing, thrown);
      else for (const one of decided) this.#journal([one]);
    }
  }

  #taken(firing: Firing, acceptance: Acceptance | undefined): void {
    const { outcomes, log } = this.#options;
    const facts = { firing: firing.id, trigger: firing.trigger, origin: firing.origin.node, kind: acceptance?.kind };
    if (acceptance?.kind === 'queued' || acceptance?.kind === 'coalesced') log.info(facts, 'Accepted a firing');
    outcomes.publish(firing.id);
  }

  /** It stays owed. */
  #failed({ id }: Firing, thrown: unknown): void {
    const error = asTriggerdError(thrown);
    if (error.retryable) this.#options.onPostponed(error);
    else this.#notices.once(id, { firing: id, error }, 'Cannot accept a firing; it stays owed');
  }

  /** Undefined when that cannot be said now. */
  #decided(firing: Firing): DecidedFiring | undefined {
    try {
      const decision = this.#decide(firing);
      if ('request' in decision) return this.#accepted(firing, decision.request);
      return { firing, refusal: decision.refusal, at: this.#options.clock.now() };
    } catch (thrown) {
      this.#failed(firing, thrown);
      return undefined;
    }
  }

  #decide(firing: Firing): ReturnType<DecideJob> {
    const { node, clock, ids, decideJob } = this.#options;
    // Without the list the entry is proof enough: it was written together with that.
    if (firing.targets?.includes(node) === false) return { refusal: 'this node is not one of its targets' };
    if (isExpired(firing, clock.now())) return { refusal: 'expired' };
    const tooOld = ids?.refusal(firing.id) ?? null;
    if (tooOld !== null) return { refusal: tooOld };
    const stop = stoppedByLoopGuard(firing, node);
    if (stop !== null) return { refusal: stop };
    return decideJob(firing);
  }

  /** What could never run (an unknown plugin, wrong arguments) is refused; what can't be taken now is not. */
  #accepted(firing: Firing, request: JobRequest): DecidedFiring {
    const { intake, clock } = this.#options;
    try {
      return { firing, job: intake.jobFor(request) };
    } catch (thrown) {
      const error = asTriggerdError(thrown);
      if (error.retryable || error.code === 'internal') throw error;
      return { firing, refusal: `${error.code}: ${error.message}`, at: clock.now() };
    }
  }

  /** It can't be journalled, so etcd alone keeps its end; without that it would be owed for ever. */
  async #refuseMalformed(id: FiringId, error: Error): Promise<void> {
    const { node, clock, store, keys } = this.#options;
    this.#notices.once(id, { firing: id, error }, 'A firing is malformed; it ends as skipped');
    await recordOutcome({ store, keys }, skippedOutcome(id, node, `malformed: ${error.message}`, clock.now()));
  }
}

const readFiring = ({ id, entry }: StoredFiring): { firing: Firing } | { id: FiringId; malformed: Error } => {
  try {
    const firing = parseFiring(entry.key, entry.value);
    return firing.id === id
      ? { firing }
      : { id, malformed: new Error('the ID in the document differs from the ID in the key') };
  } catch (error) {
    return { id, malformed: asTriggerdError(error) };
  }
};
