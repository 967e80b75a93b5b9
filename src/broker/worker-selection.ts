import { partsOfTarget, targetOf } from '../domain/target.ts';
import type { BusRegistry } from '../registry/bus-ports.ts';
import { type Sessions, targetsOf, type WorkerSession } from './sessions.ts';

/** Which workers take what is asked of a target: now, when they have a slot, or once they have said so. */
export class WorkerSelection {
  readonly #sessions: Sessions;
  readonly #registry: BusRegistry;
  /** Where the round of a service stands: an index of its candidates. */
  readonly #nextIndexes = new Map<string, number>();

  constructor(sessions: Sessions, registry: BusRegistry) {
    this.#sessions = sessions;
    this.#registry = registry;
  }

  /** Whether one of these is there, or about to say that it is. */
  hasCandidate(team: string, target: string, candidates: readonly string[]): boolean {
    return candidates.some((identity) => {
      const session = this.#sessions.worker(team, identity);
      return takes(session, target) || this.#isAboutToSay(session, target);
    });
  }

  /** Also by workers that were attached since the request came, or are about to announce it. */
  isServed(target: string): boolean {
    for (const session of this.#sessions.workers()) if (takes(session, target) || isAsked(session, target)) return true;
    return false;
  }

  /** The next in the round that has a slot. */
  nextFree(team: string, target: string, candidates: readonly string[]): WorkerSession | undefined {
    const turn = this.#nextIndexes.get(target) ?? 0;
    for (let step = 0; step < candidates.length; step++) {
      const at = (turn + step) % candidates.length;
      const session = this.#sessions.worker(team, candidates[at] as string);
      if (!takes(session, target) || session.state !== 'present' || session.free <= 0) continue;
      if (candidates.length > 1) this.#nextIndexes.set(target, at + 1);
      return session;
    }
    return undefined;
  }

  /** A service that is gone has no round any more. */
  registryChanged(): void {
    for (const target of this.#nextIndexes.keys())
      if (!this.#registry.hasService(...partsOfTarget(target))) this.#nextIndexes.delete(target);
  }

  /** It has come, or was attached, only now: whether it serves this, it will say in a moment. */
  #isAboutToSay(session: WorkerSession | undefined, target: string): boolean {
    if (session?.state !== 'present') return false;
    if (isAsked(session, target)) return true;
    const { team, identity } = session.claim;
    const attached = this.#registry.servicesOf(team, identity) ?? [];
    return !targetsOf(session).includes(target) && attached.some((name) => targetOf(team, name) === target);
  }
}

/** Also one whose connection was lost a moment ago: it comes back, or ends, within the liveness. */
const takes = (session: WorkerSession | undefined, target: string): session is WorkerSession =>
  (session?.state === 'present' || session?.state === 'away') && session.serves.has(target);

/** It was told of this, and has not announced anything since. */
const isAsked = (session: WorkerSession, target: string): boolean =>
  session.state === 'present' && session.unanswered > 0 && targetsOf(session).includes(target);
