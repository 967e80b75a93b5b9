import { partsOfTarget, targetOf } from '../domain/target.ts';
import type { BusRegistry } from '../registry/bus-registry.ts';
import { type Sessions, targetsOf, type WorkerSession } from './sessions.ts';

/** Selects workers for a target: by what they serve, and by free slots. */
export class WorkerSelection {
  readonly #sessions: Sessions;
  readonly #registry: BusRegistry;
  /** Next index among the candidates of a service. */
  readonly #nextIndexes = new Map<string, number>();

  constructor(sessions: Sessions, registry: BusRegistry) {
    this.#sessions = sessions;
    this.#registry = registry;
  }

  /** Whether one of these workers serves the target, or is about to announce it. */
  hasCandidate(team: string, target: string, candidates: readonly string[]): boolean {
    return candidates.some((identity) => {
      const session = this.#sessions.worker(team, identity);
      return takes(session, target) || this.#isAboutToSay(session, target);
    });
  }

  /** Whether any worker serves the target, including workers that were attached since the request came or are about to announce it. */
  isServed(target: string): boolean {
    for (const session of this.#sessions.workers()) if (takes(session, target) || isAsked(session, target)) return true;
    return false;
  }

  /** The next worker in turn that has a free slot. */
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

  /** Forgets the turns of services that are gone. */
  registryChanged(): void {
    for (const target of this.#nextIndexes.keys())
      if (!this.#registry.hasService(...partsOfTarget(target))) this.#nextIndexes.delete(target);
  }

  /** A worker that has just connected, or was just attached, announces in a moment whether it serves the target. */
  #isAboutToSay(session: WorkerSession | undefined, target: string): boolean {
    if (session?.state !== 'present') return false;
    if (isAsked(session, target)) return true;
    const { team, identity } = session.claim;
    const attached = this.#registry.servicesOf(team, identity) ?? [];
    return !targetsOf(session).includes(target) && attached.some((name) => targetOf(team, name) === target);
  }
}

/** A worker whose connection was lost a moment ago counts: it comes back, or its session ends, within the liveness. */
const takes = (session: WorkerSession | undefined, target: string): session is WorkerSession =>
  (session?.state === 'present' || session?.state === 'away') && session.serves.has(target);

/** The worker was sent this service, and has not announced anything since. */
const isAsked = (session: WorkerSession, target: string): boolean =>
  session.state === 'present' && session.unanswered > 0 && targetsOf(session).includes(target);
