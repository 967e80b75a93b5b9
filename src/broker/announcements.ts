import { encodeToClient } from '../bus/codec/encode.ts';
import type { Algorithm, ServiceView } from '../domain/service.ts';
import type { Wire } from './options.ts';
import { hasLegPerWorker, type Leg, lastWorkerOf, type Request, workerOf } from './request.ts';

/**
 * Tells clients that their requests were accepted, and who has them: a moment later, or before anything else that they
 * hear of it. What is over by then needs neither: its `final` says it all.
 */
export class Announcements {
  readonly #wire: Wire;
  readonly #waiting = new Set<Request>();
  #isDue = false;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Tells the client of this request soon. */
  soon(request: Request): void {
    this.#waiting.add(request);
    if (this.#isDue) return;
    this.#isDue = true;
    this.#wire.soon(() => {
      this.#isDue = false;
      for (const waiting of this.#waiting) this.now(waiting);
    });
  }

  /** Call it before the client is told anything else of the request. */
  now(request: Request): void {
    if (!this.#waiting.delete(request) || request.client === null) return;
    for (const leg of request.legs) {
      if (!leg.isNews) continue;
      const worker = lastWorkerOf(leg);
      if (worker === null) continue;
      leg.isNews = false;
      const { id, client } = request;
      this.#wire.send(client, encodeToClient({ op: 'dispatched', id, worker, ...unlessAccepted(request) }));
      request.isAccepted = true;
    }
    if (!request.isAccepted) this.accept(request);
  }

  /** A leg has ended, and its request continues. */
  legOver(leg: Leg): void {
    this.now(leg.request);
    this.tellLegEnd(leg);
  }

  /** Sends `leg` at once. */
  tellLegEnd(leg: Leg): void {
    const { request, state } = leg;
    const worker = workerOf(leg);
    if (request.client === null || worker === null || state.kind !== 'over') return;
    this.#wire.send(request.client, encodeToClient({ op: 'leg', id: request.id, worker, ...state.outcome }));
  }

  /** Sends `accepted` at once. */
  accept(request: Request): void {
    if (request.client === null) return;
    request.isAccepted = true;
    this.#wire.send(request.client, encodeToClient({ op: 'accepted', id: request.id, ...acceptanceOf(request) }));
  }

  /** Drops what was to be told of this request. */
  forget(request: Request): void {
    this.#waiting.delete(request);
  }
}

/** The fields of `accepted`, for the first message that replaces it. */
export const unlessAccepted = (request: Request): Partial<Acceptance> =>
  request.isAccepted ? {} : acceptanceOf(request);

interface Acceptance {
  readonly algorithm: Algorithm | null;
  readonly workers?: number;
}

const acceptanceOf = (request: Request): Acceptance => {
  const { service } = request;
  const { length } = service.workers;
  return { algorithm: algorithmOf(service), ...(hasLegPerWorker(request) && length > 0 ? { workers: length } : {}) };
};

/** The algorithm that people see: a worker under its own name has none. */
const algorithmOf = ({ isWorker, algorithm }: ServiceView): Algorithm | null => (isWorker ? null : algorithm);
