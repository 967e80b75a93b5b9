import { encodeToWorker } from '../bus/codec/encode.ts';
import type { WorkerMessage } from '../bus/messages.ts';
import { TriggerdError } from '../domain/errors.ts';
import { targetOf } from '../domain/target.ts';
import type { LimitedLog } from '../kit/limited-log.ts';
import type { Legs } from './legs.ts';
import type { BrokerOptions } from './options.ts';
import { isConnected, type Sessions, targetsOf, type WorkerSession } from './sessions.ts';

export interface WorkerServicesOptions extends Pick<BrokerOptions, 'registry' | 'accounts' | 'wire' | 'observer'> {
  readonly sessions: Sessions;
  readonly legs: Legs;
  /** For log lines that any peer can cause. */
  readonly limitedLog: LimitedLog;
  /** Ends a session, and tells the worker why. */
  readonly expel: (session: WorkerSession, error: TriggerdError) => void;
}

/** What each worker serves: the services that it has announced and that the registry attaches it to. */
export class WorkerServices {
  readonly #options: WorkerServicesOptions;

  constructor(options: WorkerServicesOptions) {
    this.#options = options;
  }

  announced(session: WorkerSession, { services, no_proof }: Extract<WorkerMessage, { op: 'announce' }>): void {
    const { legs } = this.#options;
    this.#reportUnattached(session, services);
    session.announced = new Set(services);
    session.noProof = no_proof && new Set(no_proof);
    session.unanswered = Math.max(0, session.unanswered - 1);
    serveWhatIsAllowed(session);
    legs.serve(session);
    legs.refuseUnservedOf(session);
  }

  #reportUnattached({ claim: { team, identity }, attached }: WorkerSession, services: readonly string[]): void {
    const { limitedLog, observer } = this.#options;
    const allowed = new Set([identity, ...attached]);
    const unattached = services.filter((name) => !allowed.has(name));
    if (unattached.length === 0) return;
    observer.refused('service-not-found');
    limitedLog.warn(
      `lies of ${team}/${identity}`,
      { team, worker: identity, services: unattached.slice(0, 10) },
      'A worker announces services that it is not attached to; it gets none of their requests',
    );
  }

  /** The registry has changed: expels workers without a valid token, and attaches the others anew. */
  registryChanged(): void {
    const { registry, accounts, sessions, legs, expel } = this.#options;
    const lost: string[] = [];
    for (const session of [...sessions.workers()]) {
      const { team, identity } = session.claim;
      const attached = registry.servicesOf(team, identity);
      if (attached === undefined || !accounts.isWorkerCurrent(team, identity, session.proof))
        expel(session, new TriggerdError('worker-refused', 'its token is no longer valid'));
      else if (!isSameList(attached, session.attached)) lost.push(...this.#attach(session, attached));
    }
    // Refuse only after all workers have their services: another worker may have got a lost one.
    for (const target of lost) legs.refuseUnserved(target);
  }

  /** Returns the targets that the worker may not serve any more. */
  #attach(session: WorkerSession, attached: readonly string[]): string[] {
    const { wire, legs } = this.#options;
    const before = targetsOf(session);
    session.attached = attached;
    serveWhatIsAllowed(session);
    if (isConnected(session)) {
      session.unanswered++;
      wire.send(session.peer, encodeToWorker({ op: 'services', services: attached }));
    }
    legs.serve(session);
    const now = new Set(targetsOf(session));
    return before.filter((target) => !now.has(target));
  }
}

export const serveWhatIsAllowed = (session: WorkerSession): void => {
  const { team, identity } = session.claim;
  const names = [identity, ...session.attached].filter((name) => session.announced.has(name));
  session.serves = new Set(names.map((name) => targetOf(team, name)));
};

const isSameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, index) => item === b[index]);
